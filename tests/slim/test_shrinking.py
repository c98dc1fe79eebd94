"""`shrink` from requirements to an index: what it writes, what its check refuses, what pip installs."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from packaging.pylock import Pylock

from spokeshave.cli import main
from spokeshave.errors import UsageFault
from spokeshave.shrink.model import ShrinkRequest
from support import demo_files, write_wheel

Shrink = Callable[..., Result]
ENTRY = b"[console_scripts]\ndemo = demo.cli:main\n"
CLI = b"def main():\n    print('usage: demo')\n"
READER = b"import os\nopen(os.path.join(os.path.dirname(__file__), 'core.' + 'p' + 'yx')).close()\n"


@pytest.fixture
def shrink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shrink:
    """Runs `spokeshave shrink` in this process, in an empty folder, with the wheels of `wheels` alone."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    files = {**demo_files(), "demo/core.pyx": b"x" * 9_000, "demo/cli.py": CLI}
    files["demo-1.0.dist-info/entry_points.txt"] = ENTRY
    write_wheel(tmp_path / "wheels" / "demo-1.0-py3-none-any.whl", files)
    reader = {**demo_files("reader"), "reader/core.pyx": b"x" * 9_000, "reader/late.py": READER}
    write_wheel(tmp_path / "wheels" / "reader-1.0-py3-none-any.whl", reader)

    def invoke(*words: str) -> Result:
        argv = ["--cache", str(tmp_path / "cache"), "shrink", *words]
        return CliRunner().invoke(main, argv, catch_exceptions=False)

    return invoke


def rows(folder: Path = Path("shrunk")) -> dict[str, dict[str, object]]:
    result = json.loads((folder / "shrink.json").read_text("utf-8"))
    return {row["package"]: row for row in result["packages"]}


def test_shrink_requirements_index_and_companions_are_written_and_install(
    shrink: Shrink, tmp_path: Path
) -> None:
    Path("requirements.txt").write_text("demo\n")
    result = shrink("requirements.txt")
    assert result.exit_code == 0, result.output
    row = rows()["demo"]
    assert (row["tier"], row["modules"], row["commands"], row["verified"]) == ("slim", 2, 1, "imports")
    lock = Pylock.from_dict(tomllib.loads(Path("shrunk/pylock.toml").read_text("utf-8")))
    wheel = (lock.packages[0].wheels or [])[0]
    assert (Path("shrunk") / str(wheel.path)).is_file()
    sources = tomllib.loads(Path("shrunk/uv-sources.toml").read_text("utf-8"))["tool"]["uv"]["sources"]
    assert sources["demo"]["marker"].startswith("sys_platform == 'linux'")
    assert "demo" in Path("shrunk/report.html").read_text("utf-8")
    index = Path("shrunk/index/simple").resolve().as_uri()
    words = ("--no-deps", "--require-hashes", "--index-url", index, "-r", "shrunk/constraints.txt")
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    argv = (sys.executable, "-m", "pip", "install", "--target", str(tmp_path / "site"), *words)
    subprocess.run(argv, check=True, env=environ, capture_output=True)
    assert (tmp_path / "site" / "demo-1.0+slim.1.dist-info").is_dir()
    again = shrink("requirements.txt")
    assert "these wheels were checked before" in again.output
    assert "slimming" not in again.output


def test_shrink_package_that_does_less_is_used_as_it_is(shrink: Shrink) -> None:
    result = shrink("demo", "reader")
    assert result.exit_code == 0, result.output
    assert rows()["demo"]["tier"] == "slim"
    assert rows()["reader"]["tier"] == "as it is"
    assert "import reader.late: FileNotFoundError" in str(rows()["reader"]["why"])


def add_wheel(
    folder: Path, name: str, files: dict[str, bytes], *requires: str, commands: bytes = b""
) -> None:
    """A wheel with docstrings, comments and a source file that levers take."""
    info = f"{name}-1.0.dist-info"
    whole = {**demo_files(name), f"{name}/core.pyx": b"x" * 9_000}
    rows = "".join(f"Requires-Dist: {one}\n" for one in requires).encode()
    whole[f"{info}/METADATA"] = whole[f"{info}/METADATA"].replace(b"\n\n", b"\n" + rows + b"\n", 1)
    if commands:
        whole[f"{info}/entry_points.txt"] = b"[console_scripts]\n" + commands
    write_wheel(folder / "wheels" / f"{name}-1.0-py3-none-any.whl", {**whole, **files})


def test_shrink_modules_that_need_their_text_have_it_back(shrink: Shrink, tmp_path: Path) -> None:
    files = {
        "needy/a.py": b'"""Needed."""\nassert globals()["__do" + "c__"]\nimport needy\n',
        "needy/b.py": b'"""Not needed: %s."""\nvalue = 1\n' % (b"x" * 4_000),
    }
    add_wheel(tmp_path, "needy", files)
    add_wheel(tmp_path, "user", {"user/__init__.py": b"import needy.a\n"}, "needy")
    result = shrink("user", "--docstrings", "--comments")
    assert result.exit_code == 0, result.output
    assert [row["tier"] for row in rows().values()] == ["slim", "slim"], result.output
    (row,) = (row for row in levers("needy") if row["name"] == "docstrings")
    assert [one["name"] for one in row["left"]] == ["needy/a.py"]
    assert row["saved"] > 4_000
    again = shrink("user", "--docstrings", "--comments")
    assert "these wheels were checked before" in again.output
    assert "slimming" not in again.output
    assert [row["tier"] for row in rows().values()] == ["slim", "slim"]


def levers(name: str) -> list[dict[str, Any]]:
    """The rows of the levers of a package."""
    return cast("list[dict[str, Any]]", rows()[name]["levers"])


def test_shrink_help_text_that_changes_has_its_docstrings_back(shrink: Shrink, tmp_path: Path) -> None:
    files = {
        "tool/app/__init__.py": b"",
        "tool/app/cli.py": b"from . import text\ndef main():\n    print(getattr(text, '__do' + 'c__'))\n",
        "tool/app/text.py": b'"""Usage: tool"""\n',
        "tool/far.py": b'"""Far: %s."""\n' % (b"x" * 4_000),
    }
    add_wheel(tmp_path, "tool", files, commands=b"tool = tool.app.cli:main\n")
    result = shrink("tool", "--docstrings")
    assert result.exit_code == 0, result.output
    assert (rows()["tool"]["tier"], rows()["tool"]["commands"]) == ("slim", 1), result.output
    (row,) = (row for row in levers("tool") if row["name"] == "docstrings")
    assert [one["name"] for one in row["left"]] == ["tool/app/text.py"]


def test_shrink_lever_of_text_is_given_up_where_no_module_helps(shrink: Shrink, tmp_path: Path) -> None:
    reader = b"import sys\ntext = sys.modules['whole.b']\nassert getattr(text, '__do' + 'c__')\n"
    files = {"whole/b.py": b'"""Needed."""\n', "whole/c.py": reader, "whole/d.py": b"# " + b"x" * 4_000}
    add_wheel(tmp_path, "whole", files)
    result = shrink("whole", "--docstrings", "--comments")
    assert result.exit_code == 0, result.output
    assert rows()["whole"]["tier"] == "slim", result.output
    text = "docstrings are kept in the whole wheel: without them, import whole.c: AssertionError"
    assert f"whole: {text}" in result.output
    assert text in Path("shrunk/report.html").read_text("utf-8")
    saved = {row["name"]: row["saved"] for row in levers("whole")}
    assert saved["comments"] >= 4_000


LONG = b"""import os
try:
    open(os.path.join(os.path.dirname(__file__), 'core.' + 'p' + 'yx')).close()
except OSError as fault:
    raise ImportError("\\n\\nIMPORTANT: PLEASE READ THIS\\n\\nSome advice: see a page.\\n"
        f"Original error was: {fault}\\n") from None
"""


def test_shrink_first_faulty_package_alone_is_used_as_it_is(shrink: Shrink, tmp_path: Path) -> None:
    add_wheel(tmp_path, "zbase", {"zbase/__init__.py": LONG})
    add_wheel(tmp_path, "middle", {"middle/__init__.py": b"import zbase\n"}, "zbase>=1")
    add_wheel(tmp_path, "atop", {"atop/__init__.py": b"import middle\n"}, "middle; python_version>'3'")
    result = shrink("atop")
    assert result.exit_code == 0, result.output
    assert {name: row["tier"] for name, row in rows().items()} == {
        "atop": "slim",
        "middle": "slim",
        "zbase": "as it is",
    }
    assert [row["verified"] for row in rows().values()] == ["imports"] * 3
    why = str(rows()["zbase"]["why"])
    cause = "[Errno 2] No such file or directory: 'zbase/core.pyx'"
    assert why == f"the slim wheel does less: import zbase: ImportError: Original error was: {cause}"
    assert "PLEASE READ" in str(rows()["zbase"]["faults"])
    assert str(tmp_path) not in why
    assert shrink("atop").output.count("checked before") == 1
    assert rows()["zbase"]["tier"] == "as it is"
    assert "PLEASE READ" in str(rows()["zbase"]["faults"])


def test_shrink_without_uv_pip_replaces_the_faulty_wheel(
    shrink: Shrink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spokeshave.shrink.set_venvs.uv_program", lambda _: None)
    result = shrink("reader")
    assert result.exit_code == 0, result.output
    assert (rows()["reader"]["tier"], rows()["reader"]["verified"]) == ("as it is", "imports")


def test_shrink_requirements_are_checked_in_a_stage(shrink: Shrink) -> None:
    assert "done: checking requirements of both" in shrink("demo").output


def test_shrink_tests_that_only_pypis_wheels_pass_stop_it(
    shrink: Shrink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_NO_INDEX", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name)
    Path("test_app.py").write_text(
        "import pathlib, demo\n"
        "def test_good(): assert demo.value == 1\n"
        "def test_bad(): assert 0\n"
        "def test_file(): assert pathlib.Path(demo.__file__).with_name('core.pyx').is_file()\n"
    )
    result = shrink("demo", "--resolver", "uv", "--tests", "pytest test_app.py -q")
    assert result.exit_code == 40, result.output
    assert "2 tests pass with PyPI's wheels, 1 of them not with ours; 1 fail with both" in result.output
    assert "test_app.py::test_file: passed with PyPI's, failed with ours" in result.output
    assert not Path("shrunk").exists()
    good = shrink("demo", "--tests", "pytest test_app.py -q -k good")
    assert good.exit_code == 0, good.output
    assert json.loads(Path("shrunk/shrink.json").read_text())["tests"]["stock"] == {"passed": 1}


def test_shrink_without_an_import_nothing_is_verified(shrink: Shrink, tmp_path: Path) -> None:
    files = {**demo_files("broken"), "broken/__init__.py": b"import absent\n", "broken/a.pyx": b"x" * 99}
    write_wheel(tmp_path / "wheels" / "broken-1.0-py3-none-any.whl", files)
    result = shrink("broken")
    assert result.exit_code == 0, result.output
    assert "not verified: no module of PyPI's wheels can be imported" in result.output
    assert rows()["broken"]["verified"] is None


def test_shrink_foreign_folder_is_not_replaced(shrink: Shrink) -> None:
    Path("shrunk/index").mkdir(parents=True)
    Path("shrunk/index/precious.txt").touch()
    result = shrink("demo", "--no-check")
    assert (result.exit_code, Path("shrunk/index/precious.txt").exists()) == (43, True)
    assert "is not an index that spokeshave made" in result.output


def test_shrink_default_profile_removes_nothing_of_pypis_wheels(
    shrink: Shrink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lean` removes scipy's assembled docstrings, since its wheels have none; PyPI's keep theirs."""
    asked: list[str] = []

    def note(context: object, request: ShrinkRequest) -> None:
        asked.append(request.knowledge.wish.profile)
        raise UsageFault("enough", next_step="")

    monkeypatch.setattr("spokeshave.cli.shrinking.run_shrink", note)
    for words in ((), ("--profile", "lean")):
        shrink("demo", *words)
    assert asked == ["", "lean"]
