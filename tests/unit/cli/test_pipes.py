"""`spokeshave … | head`: no traceback, and what a command writes is whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smallstack import small_stack
from spokeshave.publish.folder import IndexFolder
from spokeshave.recipes.book import RecipeBook
from spokeshave.trace.record import read_record
from support import RECIPES, demo_files, write_wheel

ALPHA = {"alpha/__init__.py": "", "alpha/one.py": "", "alpha/two.py": ""}
COMPONENTS = "".join(
    f'[[components]]\nname = "{name}"\nsummary = "x"\nmodules = ["alpha.{name}"]\n' for name in ("one", "two")
)
LEAN = 'schema = 1\nname = "lean"\nsummary = "small"\n[levers]\n'
_NO_SHIPPED_RECIPES = """
import pathlib
import spokeshave.cli.common as base
base.package_root = lambda: pathlib.Path("/none/none/none")
from spokeshave.cli import main
main()
"""


def without_reader(here: Path, *words: str, stderr_too: bool = False) -> tuple[int, str]:
    """Runs the command with a stdout that nobody reads; its exit code, and stderr as far as it is read."""
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-c", _NO_SHIPPED_RECIPES, "--store", "cache", *words]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    streams = {"stdout": writing, "stderr": writing if stderr_too else subprocess.PIPE}
    done = subprocess.run(argv, cwd=here, env=env, check=False, timeout=120, **streams)  # type: ignore[call-overload]
    os.close(writing)
    said = (done.stderr or b"").decode()
    assert "Traceback" not in said and "Exception ignored" not in said, said
    return int(done.returncode), said


@pytest.mark.parametrize(
    "words",
    [
        ("schema", "recipe"),
        ("config", "--json"),
        ("--recipes", str(RECIPES), "components", "--all"),
        ("build", "--help"),
    ],
    ids=" ".join,
)
def test_command_without_reader_ends_well(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert without_reader(tmp_path, *words) == (0, "")


@pytest.mark.parametrize("stderr_too", [False, True])
def test_publish_without_reader_writes_the_whole_index(tmp_path: Path, stderr_too: bool) -> None:
    wheels = [
        write_wheel(tmp_path / f"{name}-1.0-py3-none-any.whl", demo_files(name)) for name in ("demo", "other")
    ]
    words = ("publish", *map(str, wheels), "--to", "index", "--unverified", "--lock", "index")
    assert without_reader(tmp_path, *words, stderr_too=stderr_too)[0] == 0
    index = IndexFolder(root=tmp_path / "index", say=print)
    assert [file.project for file in index.read()] == ["demo", "other"]
    assert index.stale(index.read()) == []
    assert (tmp_path / "index" / "constraints.txt").read_text().count("--hash") == 2


def alpha_stack(folder: Path) -> None:
    """Recipes of one package with two components, and the package."""
    small_stack(folder, {"alpha": (ALPHA, COMPONENTS)})
    (folder / "recipes" / "profiles" / "lean.toml").write_text(LEAN)
    for name, text in ALPHA.items():
        path = folder / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def check_trace(folder: Path) -> None:
    """The record and the profile of a program that loads `alpha.one` are whole."""
    (recorded,) = read_record(folder / "app.json")
    assert any("alpha.one" in str(load) for load in recorded.loads)
    profile = RecipeBook([folder / "recipes"]).profile(str(folder / "app.toml"))
    assert "alpha/two" in [row.component for row in profile.remove]


@pytest.mark.parametrize("stderr_too", [False, True])
def test_trace_without_reader_keeps_record_and_profile(tmp_path: Path, stderr_too: bool) -> None:
    alpha_stack(tmp_path)
    code = (
        "import os, sys; sys.path.insert(0, 'site'); import alpha.one\n"
        "try: print(1, flush=True)\nexcept BrokenPipeError: os._exit(1)"
    )
    words = ("trace", "--json", "--record", "app.json", "--output", "app.toml", "--no-recheck")
    run, said = without_reader(
        tmp_path, "--recipes", "recipes", *words, "--", sys.executable, "-c", code, stderr_too=stderr_too
    )
    assert run == 1, "the command's own: it found its output closed"
    assert stderr_too or "the reader of the output (such as `head`) ended before COMMAND" in said
    check_trace(tmp_path)


def test_trace_command_killed_by_the_closed_pipe_keeps_the_profile(tmp_path: Path) -> None:
    """The command writes until SIGPIPE ends it, as under `| head -1`; a recheck would write all to a log."""
    alpha_stack(tmp_path)
    code = (
        "import signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "sys.path.insert(0, 'site'); import alpha.one\nfor _ in range(200_000): print('a line')"
    )
    words = ("trace", "--record", "app.json", "--output", "app.toml", "--", sys.executable, "-c", code)
    argv = [sys.executable, "-c", _NO_SHIPPED_RECIPES, "--store", "cache", "--recipes", "recipes", *words]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, cwd=tmp_path, env=env, text=True, **streams) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout.readline() == "a line\n"
            process.stdout.close()
            said = process.stderr.read()
            assert process.wait(60) == 128 + signal.SIGPIPE, said
        finally:
            process.kill()
    assert "the reader of the output (such as `head`) ended before COMMAND" in said
    assert "no recheck: the reader of its output (such as `head`) ended before it" in said
    assert "trace: app.toml removes 1 component of lean" in said
    assert not list((tmp_path / "cache").rglob("recheck-*"))
    check_trace(tmp_path)


def test_output_with_a_reader_is_whole(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "spokeshave", "--store", "cache", "schema", "recipe"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, check=True, timeout=120)
    assert json.loads(done.stdout)["title"] == "Recipe"
