"""`shrink` from requirements to an index: what it writes, what its check refuses, what pip installs."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

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
