"""The command: files and requirements, what is written and where, exit codes, and the words of errors."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import fields
from importlib.metadata import distributions
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spokeshave.cli import main
from spokeshave.cli.verifying import built_wheels
from spokeshave.errors import VerifyError
from spokeshave.inside.model import file_sha256
from spokeshave.publish.release import read_release
from spokeshave.verdict import VerifyReport, report_from_json
from support import demo_files, write_wheel

NAME = "demo-1.0-py3-none-any.whl"
STEM = "demo-1.0+slim.1-py3-none-any"
SOURCE = b"12345" * 2_000  # larger than what a slim wheel's dist-info has more
FILES = {**demo_files(), "demo/core.pyx": SOURCE, "demo/tests/test_it.py": b""}
Slim = Callable[..., Result]


@pytest.fixture
def slim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Slim:
    """Runs `spokeshave slim` in this process, in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def invoke(*words: str) -> Result:
        argv = ["--cache", str(tmp_path / "cache"), "slim", *words]
        return CliRunner().invoke(main, argv, catch_exceptions=False)

    return invoke


def test_a_wheel_and_its_records_are_delivered(slim: Slim, tmp_path: Path) -> None:
    stock = write_wheel(tmp_path / NAME, FILES)
    result = slim(str(stock), "--json")
    assert result.exit_code == 0, result.output
    folder = Path("wheelhouse")
    assert sorted(p.name for p in folder.iterdir()) == [
        f"{STEM}.slim.json",
        f"{STEM}.verify.json",
        f"{STEM}.whl",
    ]
    record = json.loads((folder / f"{STEM}.slim.json").read_text())
    assert json.loads(result.stdout) == [record]
    assert record["wheel"]["sha256"] == file_sha256(folder / f"{STEM}.whl")
    assert record["stock"]["sha256"] == file_sha256(stock)
    assert {row["name"]: row["saved"] for row in record["levers"]}["sources"] == len(SOURCE)
    assert record["check"]["imports"]["imported"] == ["demo"]
    verdict = json.loads((folder / f"{STEM}.verify.json").read_text())
    report = report_from_json(verdict)
    assert set(verdict) == {one.name for one in fields(VerifyReport)}, "as `verify` writes it"
    assert (report.passed, report.sha256, report.faults) == (True, record["wheel"]["sha256"], ())
    assert built_wheels(folder) == ()


def test_a_wheel_that_does_less_is_not_written(slim: Slim, tmp_path: Path) -> None:
    reader = b"import os\nopen(os.path.dirname(__file__) + '/core.' + 'pyx').close()\n"
    stock = write_wheel(tmp_path / NAME, {**FILES, "demo/reader.py": reader})
    result = slim(str(stock))
    assert result.exit_code == 40
    assert "import demo.reader: FileNotFoundError" in result.output
    assert "--keep" in result.output
    assert not Path("wheelhouse").exists()
    result = slim(str(stock), "--keep", "demo/core.pyx")
    assert result.exit_code == 0
    assert "not smaller: not written" in result.output


def test_nothing_is_written_where_a_wheel_would_not_get_smaller(slim: Slim, tmp_path: Path) -> None:
    stock = write_wheel(tmp_path / NAME, demo_files())
    result = slim(str(stock))
    assert result.exit_code == 0
    assert "it would not be smaller than the PyPI wheel, so that nothing was written" in result.output
    assert not Path("wheelhouse").exists()
    (record,) = json.loads(slim(str(stock), "--json").stdout)
    assert record["written"] is False
    assert record["check"]["imports"] is None


DECORATOR = b"def shown(f):\n    f.text = f.__doc__.strip()\n    return f\n"
USER = b'from demo.deco import shown\n\n@shown\ndef f():\n    """Text of f."""\n    # why\n    return 1\n'


def test_modules_that_fail_without_docstrings_have_them_back(slim: Slim, tmp_path: Path) -> None:
    """A decorator of another module needs the docstrings: the check finds which modules use it."""
    files = {**FILES, "demo/deco.py": DECORATOR, "demo/a.py": USER, "demo/b.py": USER}
    files["demo/free.py"] = b'"""Text."""\n'
    stock = write_wheel(tmp_path / NAME, files)
    result = slim(str(stock), "--docstrings", "--comments", "--json")
    assert result.exit_code == 0, result.output
    (record,) = json.loads(result.stdout)
    (row,) = (row for row in record["levers"] if row["name"] == "docstrings")
    kept = {one["name"]: one["reason"] for one in row["left"]}
    assert set(kept) == {"demo/a.py", "demo/b.py", "demo/deco.py"}
    assert kept["demo/a.py"] == "modules keep their docstrings: the check found that they need them"
    assert record["check"]["imports"]["faults"] == []
    with zipfile.ZipFile(Path("wheelhouse", f"{STEM}.whl")) as archive:
        assert b"Text of f" in archive.read("demo/a.py")
        assert b"why" not in archive.read("demo/a.py"), "comments go all the same"
        assert archive.read("demo/free.py").strip() == b""


def test_a_lever_that_no_module_can_do_without_is_switched_off(slim: Slim, tmp_path: Path) -> None:
    """The docstring that is missed belongs to a module that the fault does not go through."""
    reader = b"import demo.far\ntext = vars(demo.far)['__do' + 'c__'].strip()\n"
    files = {**FILES, "demo/reader.py": reader, "demo/far.py": b'"""Far."""\n# why\n'}
    result = slim(str(write_wheel(tmp_path / NAME, files)), "--docstrings", "--comments")
    assert result.exit_code == 0, result.output
    assert "docstrings are kept in the whole wheel: without them, import demo.reader" in result.output
    with zipfile.ZipFile(Path("wheelhouse", f"{STEM}.whl")) as archive:
        assert archive.read("demo/far.py").rstrip() == b'"""Far."""'


def test_without_a_check_nothing_claims_one(slim: Slim, tmp_path: Path) -> None:
    stock = write_wheel(tmp_path / NAME, FILES)
    assert slim(str(stock)).exit_code == 0
    verified = Path("wheelhouse", f"{STEM}.verify.json")
    assert slim(str(stock), "--no-check").exit_code == 0
    assert verified.exists(), "it is about the same bytes"
    assert slim(str(stock), "--no-check", "--without", "tests").exit_code == 0
    assert not verified.exists()
    record = json.loads(Path("wheelhouse", f"{STEM}.slim.json").read_text())
    assert record["check"] == {
        "imports": None,
        "marker": "",
        "skipped": "--no-check was given",
        "tests": None,
    }


def test_where_nothing_can_be_imported_nothing_is_verified(
    slim: Slim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {name: data for name, data in FILES.items() if not name.endswith((".py", ".pyx"))}
    files |= {"demo/__init__.py": b"import nobody_has_this\n", "demo/core.c": b"x" * 9_000}
    stock = write_wheel(tmp_path / NAME, files)
    result = slim(str(stock))
    assert result.exit_code == 0, result.output
    assert (
        "not verified: no module of the PyPI wheel can be imported (demo: ModuleNotFoundError"
        in result.output
    )
    assert "--with adds what its modules need" in result.output
    wheel = Path("wheelhouse", f"{STEM}.whl")
    assert wheel.is_file()
    assert not Path("wheelhouse", f"{STEM}.verify.json").exists()
    with pytest.raises(VerifyError, match="is not next to it") as caught:
        read_release(wheel)
    assert "spokeshave slim, with its check" in caught.value.next_step
    links = tmp_path / "links"
    write_wheel(links / "nobody_has_this-1.0-py3-none-any.whl", demo_files("nobody_has_this"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    assert slim(str(stock), "--with", "nobody-has-this").exit_code == 0
    assert read_release(wheel).level == "imports"


def test_a_check_that_fails_is_not_hidden_by_an_earlier_one(
    slim: Slim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same wheel, checked again beside a package that brings the fault to light."""
    reader = (
        b"import importlib.util, pathlib\nif importlib.util.find_spec('other'):\n"
        b"    pathlib.Path(__file__).with_name('core.' + 'pyx').read_bytes()\n"
    )
    stock = write_wheel(tmp_path / NAME, {**FILES, "demo/reader.py": reader})
    write_wheel(tmp_path / "links" / "other-1.0-py3-none-any.whl", demo_files("other"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    assert slim(str(stock)).exit_code == 0
    wheel = Path("wheelhouse", f"{STEM}.whl")
    assert read_release(wheel).level == "imports"
    assert slim(str(stock), "--with", "other").exit_code == 40
    with pytest.raises(VerifyError, match="says that it failed"):
        read_release(wheel)


def test_a_wheel_for_another_platform_is_slimmed_and_the_check_skipped(slim: Slim, tmp_path: Path) -> None:
    stock = write_wheel(tmp_path / "demo-1.0-cp311-cp311-win_amd64.whl", FILES)
    result = slim(str(stock), "--output", "out")
    assert result.exit_code == 0
    assert "not checked: a wheel for cp311-cp311-win_amd64 cannot be installed in" in result.output
    assert len(list(Path("out").glob("*.whl"))) == 1
    assert not list(Path("out").glob("*.verify.json"))


def test_a_requirement_comes_through_pip(slim: Slim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0", "2.0"):
        path = tmp_path / f"links/demo-{version}-py3-none-any.whl"
        write_wheel(path, {**demo_files(version=version), "demo/core.c": b"x" * 9_000})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    assert slim("demo<2", "--no-check").exit_code == 0
    assert [path.name for path in Path("wheelhouse").glob("*.whl")] == [f"{STEM}.whl"]
    result = slim("demo==3", "--no-check")
    assert result.exit_code == 12
    assert "pip could not fetch demo==3" in result.output


@pytest.mark.parametrize(
    ("word", "code", "told"),
    [
        ("nothing-1.0-py3-none-any.whl", 41, "no such file"),
        ("dist/nothing", 41, "no such file"),
        ("demo==", 41, "neither a file nor a requirement"),
        ("demo @ file:///x.whl", 41, "names an address"),
        ('demo; python_version<"3"', 2, "does not apply to cp311-manylinux_x86_64"),
        ("root:x:0", 41, "'root:x:0' is neither a file nor a requirement"),  # and no emoji
        (".", 41, ". is a folder"),
        ("--nonsense", 2, "No such option"),
    ],
)
def test_bad_words(slim: Slim, word: str, code: int, told: str) -> None:
    result = slim(word)
    assert result.exit_code == code
    assert told in result.output


@pytest.mark.parametrize("word", ["--index-url=http://127.0.0.1:9/", "-r/etc/passwd", "demo @ file:///x.whl"])
def test_with_takes_requirements_alone(slim: Slim, tmp_path: Path, word: str) -> None:
    result = slim(str(write_wheel(tmp_path / NAME, FILES)), f"--with={word}")
    assert result.exit_code == 2
    assert f"Invalid value for '--with': '{word}'" in result.output


def test_extras_are_installed_for_the_check(
    slim: Slim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = "demo-1.0.dist-info/METADATA"
    more = b"Provides-Extra: More\nRequires-Dist: helper==1.0; extra == 'more'\n"
    files = {**FILES, "demo/more.py": b"import helper\n"}
    files[info] = files[info].replace(b"\n\n", b"\n" + more + b"\n", 1)
    write_wheel(tmp_path / "links" / NAME, files)
    write_wheel(tmp_path / "links/helper-1.0-py3-none-any.whl", demo_files("helper"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    result = slim("demo[more]", "--json")
    assert result.exit_code == 0, result.output
    (record,) = json.loads(result.stdout)
    assert record["check"]["imports"]["imported"] == ["demo", "demo.more"]
    assert record["stock"]["extras"] == ["more"]
    assert "demo[more]: the check installs what these extras require" in result.stderr
    result = slim("demo[other]")
    assert result.exit_code == 41
    assert "demo 1.0 has no extra other" in result.output
    assert "its extras are: more" in result.output


def test_a_version_in_another_spelling_installs_under_our_label(slim: Slim, tmp_path: Path) -> None:
    info = "demo-1.0.dist-info/METADATA"
    files = {**FILES, info: FILES[info].replace(b"Version: 1.0\n\n", b"version:\n 1.0\n\n")}
    result = slim(str(write_wheel(tmp_path / NAME, files)), "--json")
    assert result.exit_code == 0, result.output
    (found,) = distributions(path=[str(Path("wheelhouse", f"{STEM}.whl"))])
    assert found.version == "1.0+slim.1"


def test_folders_that_went_are_in_the_output(slim: Slim, tmp_path: Path) -> None:
    result = slim(str(write_wheel(tmp_path / NAME, FILES)), "--no-check")
    assert "demo: tests removed demo/tests" in result.output


def test_one_bad_wheel_stops_all_before_any_is_slimmed(slim: Slim, tmp_path: Path) -> None:
    good = write_wheel(tmp_path / NAME, FILES)
    (bad := tmp_path / "bad-1.0-py3-none-any.whl").write_bytes(b"")
    assert slim(str(good), str(bad), "--no-check").exit_code == 41
    assert not Path("wheelhouse").exists()


def test_a_python_that_is_no_tag(slim: Slim) -> None:
    assert slim("demo", "--python", "3.11").exit_code == 2
