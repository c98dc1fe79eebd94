"""The check: modules that import from stock and not from ours are found, in real venvs of this Python."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.errors import NetworkError, VerifyError
from spokeshave.inside.run import run
from spokeshave.inside.wheel import parse_name
from spokeshave.machine.venvs import Venv
from spokeshave.slim.import_check import compare_imports, import_all, modules_to_try
from spokeshave.slim.intake import read_stock
from spokeshave.slim.make_wheel import slim
from spokeshave.slim.model import Removals, Settings, Slimmed
from spokeshave.slim.two_venvs import make_pair, why_not_here
from spokeshave.slim.wheel_layout import module_of
from support import demo_files, write_wheel

NAME = "demo-1.0-py3-none-any.whl"
FILES = {
    **demo_files(),
    "demo/needs_source.py": b"import os\nopen(os.path.dirname(__file__) + '/core.' + 'pyx').close()\n",
    "demo/core.pyx": b"x",
    "demo/guarded.py": (
        b"from pathlib import Path\n"
        b"if (Path(__file__).parent / ('core.' + 'pyx')).exists():\n    extra = 1\n"
        b"always = 2\n"
    ),
    "demo/broken.py": b"import a_module_that_nobody_has\n",
    "demo/__main__.py": b"raise SystemExit('a script, not to be imported')\n",
    "demo/deadly.py": b"import os\nos._exit(7)\n",
    "demo/slow.py": b"import time\ntime.sleep(600)\n",
    "demo/tests/test_it.py": b"",
}


def made(tmp_path: Path, files: dict[str, bytes], settings: Settings | None = None) -> Slimmed:
    (tmp_path / "work").mkdir()
    stock = read_stock(write_wheel(tmp_path / NAME, files))
    return slim(stock, settings or Settings(), output=tmp_path / "out", scratch=tmp_path / "work")


def test_what_imports_in_stock_and_not_in_ours_is_a_fault(tmp_path: Path) -> None:
    slimmed = made(tmp_path, FILES)
    assert slimmed.gone == ("demo/core.pyx", "demo/tests/test_it.py")
    (place := tmp_path / "check").mkdir()
    pair = make_pair(slimmed, extra=(), folder=place, runner=run, log=tmp_path / "log")
    theirs = import_all(pair[0], modules_to_try(slimmed), folder=place / "theirs", runner=run, seconds=3)
    found = compare_imports(theirs, pair[1], folder=place / "ours", runner=run, seconds=3)
    assert len(found.faults) == 2
    assert found.faults[0] == "demo.guarded lacks extra"
    assert found.faults[1].startswith("import demo.needs_source: FileNotFoundError: ")
    assert found.suspects == (("demo/guarded.py", "demo/guarded/__init__.py"), ("demo/needs_source.py",))
    assert found.imported == ("demo", "demo.guarded")
    assert found.failing_in_stock == {
        "demo.broken": "ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
        "demo.deadly": "the interpreter ended with 7",
        "demo.slow": "its import did not end within 3 s",
    }


def test_both_venvs_have_the_wheel_and_nothing_of_ours(tmp_path: Path) -> None:
    slimmed = made(tmp_path, demo_files())
    pair = make_pair(slimmed, extra=(), folder=tmp_path, runner=run, log=tmp_path / "log")
    installed = [{path.name for path in venv.site.glob("*.dist-info")} for venv in pair]
    assert installed == [{"demo-1.0.dist-info"}, {"demo-1.0+slim.1.dist-info"}]
    found = import_all(pair[1], ["demo", "spokeshave"], folder=tmp_path / "names", runner=run, seconds=60)
    assert found["demo"].offers == {"value"}
    assert found["spokeshave"].error == "ModuleNotFoundError: No module named 'spokeshave'"


def test_requirements_that_cannot_be_had_stop_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    metadata = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: nobody-has-this==9\n\n"
    slimmed = made(tmp_path, {**demo_files(), "demo-1.0.dist-info/METADATA": metadata})
    with pytest.raises(NetworkError, match="nobody-has-this") as caught:
        make_pair(slimmed, extra=(), folder=tmp_path, runner=run, log=tmp_path / "log")
    assert "--no-check" in caught.value.next_step
    assert caught.value.log == tmp_path / "log"


def test_the_same_versions_stand_beside_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two wheels that would do, both venvs get the one that pip chose for stock."""
    for version in ("1.0", "2.0"):
        write_wheel(tmp_path / f"links/other-{version}-py3-none-any.whl", demo_files("other", version))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    slimmed = made(tmp_path, demo_files())
    pair = make_pair(slimmed, extra=("other<2",), folder=tmp_path, runner=run, log=tmp_path / "log")
    for venv in pair:
        assert (venv.site / "other-1.0.dist-info").is_dir()


def test_a_venv_whose_python_does_not_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "bin" / "python").chmod(0o755)
    with pytest.raises(VerifyError, match="imports nothing: the interpreter ended with 3"):
        import_all(Venv(root=tmp_path), ["demo"], folder=tmp_path / "x", runner=run, seconds=5)


def test_modules_of_a_wheel(tmp_path: Path) -> None:
    slimmed = made(
        tmp_path, {**demo_files(), "demo/a-script.py": b"", "demo/_c.abi3.so": b"x", "top.py": b""}
    )
    assert modules_to_try(slimmed) == ("demo", "demo._c", "top")
    assert modules_to_try(replace(slimmed, gone=("top.py",))) == ("demo", "demo._c")


@pytest.mark.parametrize(
    ("member", "module"),
    [
        ("demo/__init__.py", "demo"),
        ("demo/sub/mod.py", "demo.sub.mod"),
        ("demo/_c.cpython-311-x86_64-linux-gnu.so", "demo._c"),
        ("demo-1.0.data/platlib/demo/_c.pyd", "demo._c"),
        ("demo-1.0.data/scripts/tool.py", ""),
        ("demo-1.0.dist-info/METADATA", ""),
        ("demo/data.txt", ""),
        ("demo.libs/libz-1.so", ""),
    ],
)
def test_names_of_modules(member: str, module: str) -> None:
    assert module_of(member) == module


@pytest.mark.parametrize(
    ("tags", "here"),
    [
        ("py3-none-any", True),
        ("cp32-abi3-manylinux_2_5_x86_64", sys.platform == "linux"),
        ("cp311-cp311-win_amd64", False),
        ("cp311-cp311-macosx_11_0_arm64", False),
        ("cp39-cp39-manylinux_2_5_x86_64", False),
    ],
)
def test_wheels_that_cannot_be_installed_here(tags: str, here: bool) -> None:
    reason = why_not_here(parse_name(f"demo-1.0-{tags}.whl"))
    assert bool(reason) is not here
    assert here or tags in reason


STUBBED = {
    **demo_files(),
    "demo/extra.py": b"more = 1\n",
    "demo/api.py": b"from demo.extra import more\nvalue = 1\n",
    "demo/user.py": b"import demo.extra\n",
    "demo/other.py": b"value = 1\n",
}


@pytest.mark.parametrize("patched", [("demo.api",), ()])
def test_removed_component_is_no_fault_but_a_lost_name_elsewhere_is(
    tmp_path: Path, patched: tuple[str, ...]
) -> None:
    """A stub is not imported, who runs into it was allowed to, and a patched module may offer less."""
    slimmed = made(tmp_path, STUBBED)
    message = (
        "demo.extra is not in this wheel of demo (1.0+slim.1): profile 'slim' removes component 'extra' (x)."
    )
    files = {
        **STUBBED,
        "demo/extra.py": f"raise ModuleNotFoundError({message!r})\n".encode(),
        "demo/api.py": b"value = 1\n",
    }
    ours = {
        name.replace("demo-1.0.", "demo-1.0+slim.1."): data.replace(
            b"\nVersion: 1.0\n", b"\nVersion: 1.0+slim.1\n"
        )
        for name, data in files.items()
    }
    write_wheel(slimmed.wheel, ours)
    slimmed = replace(slimmed, removals=Removals(stubs=("demo.extra",), patched=patched))
    (place := tmp_path / "check").mkdir()
    pair = make_pair(slimmed, extra=(), folder=place, runner=run, log=tmp_path / "log")
    names = modules_to_try(slimmed)
    theirs = import_all(pair[0], names, folder=place / "stock", runner=run)
    found = compare_imports(theirs, pair[1], folder=place / "ours", runner=run, excused=slimmed.excused)
    assert found.faults == (() if patched else ("demo.api lacks more",))
    assert "demo.extra" not in found.imported
