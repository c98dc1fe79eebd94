"""How upstream's tests are run in a training."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from countersample import WRITTEN
from spokeshave.bench.train.work import Workspace, run_tests
from spokeshave.errors import TrainError
from spokeshave.inside.run import Command, Finished
from spokeshave.machine.progress import make_reporter
from spokeshave.machine.venvs import Venv
from spokeshave.recipes.book import RecipeBook
from support import RECIPES


def where(folder: Path) -> Workspace:
    (folder / "venv" / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    reporter = make_reporter(Console(file=io.StringIO()))
    return Workspace(
        venv=Venv(root=folder / "venv"),
        home=folder,
        counters=folder / "counters",
        env={},
        path="/usr/bin",
        cpus=2,
        reporter=reporter,
    )


def commands(folder: Path, lines: Sequence[str], code: int, ended: int = 64) -> list[Command]:
    """Those of a run in which pytest says some lines, ends with a code, and some processes write counters."""
    seen = []

    def runner(command: Command) -> Finished:
        seen.append(command)
        for line in lines:
            if command.on_line:
                command.on_line(line)
        (folder / "counters").mkdir()
        data = WRITTEN[:24] + struct.pack("<I", ended) + WRITTEN[28:]
        (folder / "counters" / "#a.gcda").write_bytes(data)
        return Finished(argv=command.argv, returncode=code, output="\n".join(lines), seconds=0.0)

    verify = RecipeBook([RECIPES]).load("pandas").recipe.verify
    run_tests(where(folder), ("pandas/tests",), verify, runner, folder / "log")
    return seen


def test_tests_are_run_with_upstreams_options(tmp_path: Path) -> None:
    (command,) = commands(tmp_path, ["1 failed, 2 passed"], 1)
    verify = RecipeBook([RECIPES]).load("pandas").recipe.verify
    assert command.argv[-1] == str(next(tmp_path.glob("venv/lib/*/site-packages")) / "pandas/tests")
    assert command.argv[command.argv.index("-m", 3) + 1] == verify.marker
    assert set(verify.options) <= set(command.argv)
    assert command.env and command.env["GCOV_PREFIX"] == str(tmp_path / "counters")


def test_a_process_that_wrote_nothing_is_reported(tmp_path: Path) -> None:
    """pytest-xdist kills what takes long to end, and says nothing."""
    with pytest.raises(TrainError, match="fewer wrote profile data"):
        commands(tmp_path, ["2 passed"], 0, ended=0)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("[gw0] node down: Not properly terminated", 1, r"lost profile data \(node down\)"),
        ("worker 'gw1' crashed while running 'test_a.py::test_b'", 1, "lost profile data"),
        ("Different tests were collected between gw0 and gw1.", 1, "lost profile data"),
        ("no tests ran", 5, "did not run:\n  no tests ran"),
    ],
)
def test_a_run_that_lost_profile_data_is_reported(tmp_path: Path, line: str, code: int, words: str) -> None:
    """pytest-xdist goes on without a process that died, and ends as if a test had failed."""
    with pytest.raises(TrainError, match=words):
        commands(tmp_path, [line], code)
