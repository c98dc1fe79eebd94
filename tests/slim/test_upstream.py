"""Upstream's own tests: found in an sdist, run on both sides with the real pytest, compared by outcome."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.machine.venvs import Venv
from spokeshave.slim.intake import read_stock
from spokeshave.slim.make_wheel import slim
from spokeshave.slim.model import Settings, Slimmed
from spokeshave.slim.outcome import Verdict, summary
from spokeshave.slim.upstream import Suite, align, compare_tests, find_tests
from spokeshave.verify.outcomes import Comparison, compare
from support import demo_files, make_context, write_wheel

TEST = "import demo\n\n\ndef test_value():\n    assert demo.value == 1\n"


def sdist(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path := root / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_folders_inside_the_package_and_beside_it(tmp_path: Path) -> None:
    files = {
        "src/demo/__init__.py": "",
        "src/demo/tests/test_in.py": TEST,
        "src/demo/tests/deep/tests/test_deep.py": TEST,
        "src/demo/test/helper.py": "",
        "tests/unit/test_out.py": TEST,
        "docs/tests/readme.txt": "",
    }
    root = sdist(tmp_path, files)
    suite = find_tests(root)
    assert suite == Suite(sdist=root, inside={"demo/tests": root / "src/demo/tests"}, beside=("tests",))
    assert suite.found


def test_an_sdist_without_tests(tmp_path: Path) -> None:
    assert not find_tests(sdist(tmp_path, {"demo/__init__.py": ""})).found


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (logs := tmp_path / "logs").mkdir()
    return make_context(tmp_path, logs=logs)


@pytest.fixture
def slimmed(tmp_path: Path) -> Slimmed:
    (tmp_path / "work").mkdir()
    stock = read_stock(write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files()))
    return slim(stock, Settings(), output=tmp_path / "out", scratch=tmp_path / "work")


def venv_with(root: Path, package: str) -> Venv:
    """A venv that sees the pytest of this one, and in which `demo` has this text."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    venv = Venv(root=root)
    (venv.site / "pytest.pth").write_text(str(Path(pytest.__file__).parents[1]))
    (venv.site / "demo").mkdir()
    (venv.site / "demo" / "__init__.py").write_text(package)
    return venv


def test_losses_are_what_passes_on_stock_and_not_on_ours(
    tmp_path: Path, context: Context, slimmed: Slimmed
) -> None:
    files = {
        "demo/__init__.py": "",
        "demo/tests/test_in.py": TEST,
        "tests/test_out.py": f"{TEST}\n\ndef test_always():\n    pass\n",
        "tests/test_wants_more.py": "import a_module_that_nobody_has\n",
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--no-such-option"\n',
    }
    suite = find_tests(sdist(tmp_path / "sdist", files))
    stock, ours = venv_with(tmp_path / "stock", "value = 1\n"), venv_with(tmp_path / "slim", "value = 2\n")
    found, flaky = compare_tests(context, slimmed, suite, stock, ours)
    assert flaky == {}
    assert found.stock == {"passed": 3, "error": 1}
    assert found.ours == {"passed": 1, "failed": 2, "error": 1}
    assert [loss.test.rpartition("/")[2] for loss in found.losses] == [
        "test_in.py::test_value",
        "test_out.py::test_value",
    ]
    assert found.both_failed == ("upstream/tests/test_wants_more.py",)
    assert Verdict(tests=found).tested
    assert summary(found) == "of 4 upstream tests, 3 pass with the PyPI wheel, 2 were lost"


FAILS_AT_FIRST = """
import os, pathlib, sys, pytest

def fails(times):
    runs = pathlib.Path(sys.prefix, "runs")
    runs.write_text((runs.read_text() if runs.exists() else "") + "x")
    return "slim" in sys.prefix and len(runs.read_text()) <= times

@pytest.mark.parametrize("case", [object()], ids=[f"case {os.getpid()}"])
def test_varying(case):
    assert not fails(TIMES)
"""


@pytest.mark.parametrize(("times", "lost"), [(1, 0), (2, 1)])
def test_compare_tests_that_pass_in_each_rerun_are_flaky(
    tmp_path: Path, context: Context, slimmed: Slimmed, times: int, lost: int
) -> None:
    """Even if the id of the case is another one in each run; one more failure makes it a loss."""
    files = {"tests/test_out.py": FAILS_AT_FIRST.replace("TIMES", str(times))}
    suite = find_tests(sdist(tmp_path / "sdist", files))
    stock, ours = (venv_with(tmp_path / name, "value = 1\n") for name in ("stock", "slim"))
    found, flaky = compare_tests(context, slimmed, suite, stock, ours)
    assert (ours.root / "runs").read_text() == "xxx"
    assert len(found.losses) == lost
    test = "tests/test_out.py::test_varying[case 1 of varying ids]"
    assert flaky == ({} if lost else {test: ("failed", "passed", "passed")})


def compared(tmp_path: Path, context: Context, slimmed: Slimmed, files: dict[str, str]) -> Comparison:
    """The suite of an sdist in two venvs that have the same package."""
    suite = find_tests(sdist(tmp_path / "sdist", files))
    stock, ours = (venv_with(tmp_path / name, "value = 2\n") for name in ("stock", "slim"))
    return compare_tests(context, slimmed, suite, stock, ours)[0]


def test_a_conftest_finds_the_installed_package_where_its_source_was(
    tmp_path: Path, context: Context, slimmed: Slimmed
) -> None:
    files = {
        "lib/demo/__init__.py": "value = 1\n",
        "tests/conftest.py": "from pathlib import Path\n"
        "text = (Path(__file__).parents[1] / 'lib' / 'demo' / '__init__.py').read_text()\n"
        "assert text == 'value = 2\\n'\n",
        "tests/test_out.py": "def test_always():\n    pass\n",
    }
    assert compared(tmp_path, context, slimmed, files).ours == {"passed": 1}


def test_tests_run_where_the_sdist_s_root_would_be(
    tmp_path: Path, context: Context, slimmed: Slimmed
) -> None:
    files = {
        "tests/test_out.py": "def test_root(pytestconfig):\n"
        "    for place in ('setup.cfg', pytestconfig.rootpath / 'setup.cfg'):\n"
        "        assert '[db]' in open(place).read()\n",
        "setup.cfg": "[db]\ndefault = sqlite\n",
    }
    assert compared(tmp_path, context, slimmed, files).ours == {"passed": 1}


def test_a_marker_chooses_the_tests(tmp_path: Path, context: Context, slimmed: Slimmed) -> None:
    text = "import pytest\n\n@pytest.mark.slow\ndef test_slow():\n    pass\n\ndef test_quick():\n    pass\n"
    suite = replace(find_tests(sdist(tmp_path / "sdist", {"tests/test_out.py": text})), marker="not slow")
    stock, ours = (venv_with(tmp_path / name, "value = 1\n") for name in ("stock", "slim"))
    assert compare_tests(context, slimmed, suite, stock, ours)[0].ours == {"passed": 1}


def test_pytest_that_breaks_off_proves_nothing(tmp_path: Path, context: Context, slimmed: Slimmed) -> None:
    files = {
        "tests/test_out.py": "def test_always():\n    pass\n",
        "tests/conftest.py": "def pytest_collection_finish():\n    raise LookupError('no such plugin')\n",
    }
    with pytest.raises(VerifyError, match=r"do not run \(stock\)(.|\n)*no such plugin"):
        compared(tmp_path, context, slimmed, files)


def test_tests_that_fail_on_stock_too_prove_nothing() -> None:
    outcomes = {outcome: (outcome, "") for outcome in ("error", "failed", "xfailed", "skipped")}
    found = compare(outcomes, outcomes, {})
    assert not Verdict(tests=found).tested
    assert summary(found).startswith("of 3 upstream tests, 0 pass with the PyPI wheel")
    assert summary(found).endswith("install what the others need with --with")


def test_cases_whose_ids_change_from_run_to_run_are_counted_by_function() -> None:
    stock = {"t.py::f[0x1]": ("passed", ""), "t.py::f[0x2]": ("failed", ""), "t.py::g": ("passed", "")}
    same = {"t.py::f[0x8]": ("failed", ""), "t.py::f[0x9]": ("passed", ""), "t.py::g": ("passed", "")}
    assert compare(*align(same, stock), {}).losses == ()
    mixed = {"t.py::f[0x1]": ("xfailed", ""), "t.py::f[0x2]": ("passed", "")}
    turned = {"t.py::f[0x3]": ("passed", ""), "t.py::f[0x4]": ("xfailed", "")}
    assert compare(*align(turned, mixed), {}).losses == ()
    worse = {**same, "t.py::f[0x9]": ("failed", "")}
    (loss,) = compare(*align(worse, stock), {}).losses
    assert loss.test == "t.py::f[case 1 of varying ids]"
    fewer = {"t.py::f[0x8]": ("failed", "")}
    lost = [(loss.test, loss.ours) for loss in compare(*align(fewer, stock), {}).losses]
    assert lost == [("t.py::f[case 1 of varying ids]", "failed"), ("t.py::g", "not run")]


def test_tests_that_do_not_start_say_what_to_do(tmp_path: Path, context: Context, slimmed: Slimmed) -> None:
    files = {"tests/test_out.py": TEST, "tests/conftest.py": "import a_module_that_nobody_has\n"}
    suite = find_tests(sdist(tmp_path / "sdist", files))
    stock = venv_with(tmp_path / "stock", "value = 1\n")
    with pytest.raises(VerifyError, match="a_module_that_nobody_has") as fault:
        compare_tests(context, slimmed, suite, stock, stock)
    assert "--with NAME" in fault.value.next_step
