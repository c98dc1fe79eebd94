"""Two venvs that differ in the compared wheels alone; all other distributions have one version in both."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from spokeshave.inside.run import Finished, Runner
from spokeshave.machine.venvs import Venv, install, install_alike, make_venv

_SHOWN = 4  # last lines of pip's output


class InstallFailed(Exception):
    """pip cannot install one side; the caller says which wheels these are. `output` is that of pip."""

    def __init__(self, side: Literal["reference", "ours"], output: str) -> None:
        super().__init__(f"pip cannot install {side}")
        self.side = side
        self.output = output

    @property
    def tail(self) -> str:
        """The last lines of pip's output, indented."""
        return "\n  ".join(self.output.splitlines()[-_SHOWN:])


def make_venv_pair(
    folder: Path,
    names: tuple[str, str],
    *,
    reference: tuple[str, ...],
    ours: tuple[str, ...],
    replaced: tuple[str, ...],
    runner: Runner,
    log: Path,
    python: str = sys.executable,
) -> tuple[Venv, Venv]:
    """Makes two venvs with these names in `folder`, and returns that of the reference first.

    `reference` are the words for pip: wheels, requirements and options. pip also installs what they require.
    `ours` are wheel files, which replace the distributions `replaced`; all others have the same versions in
    both. Raises InstallFailed, and EngineMissing where `python` cannot make a venv.
    """
    theirs, mine = (make_venv(folder / name, runner, log, python=python) for name in names)
    _check("reference", install(theirs, reference, runner, log))
    _check("ours", install_alike(mine, ours, like=theirs, exclude=replaced, runner=runner, log=log))
    return theirs, mine


def _check(side: Literal["reference", "ours"], done: Finished) -> None:
    if not done.ok:
        raise InstallFailed(side, done.output)
