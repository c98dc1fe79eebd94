"""Interpreters, and venvs without pip, which this Python's own pip fills."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.errors import EngineMissing
from spokeshave.model import Target
from spokeshave.run import Command, Finished, Runner


@dataclass(frozen=True, kw_only=True, slots=True)
class Venv:
    """The folder of a venv."""

    root: Path

    @property
    def python(self) -> str:
        return str(self.root / "bin" / "python")

    @property
    def site(self) -> Path:
        return next((self.root / "lib").glob("python3*/site-packages"))


def find_interpreter(target: Target) -> str | None:
    """This Python where it is of the target's version, else the one on PATH that is; None without one."""
    if f"cp{sys.version_info[0]}{sys.version_info[1]}" == target.python:
        return sys.executable
    return shutil.which(f"python{target.python_version}")


def make_venv(root: Path, runner: Runner, log: Path, *, python: str = sys.executable) -> Venv:
    """A new venv of an interpreter; raises EngineMissing where that has no venv module."""
    done = runner(Command(argv=(python, "-m", "venv", "--without-pip", str(root)), log=log))
    if not done.ok:
        raise EngineMissing(
            f"no venv can be made with {python}: {done.output.strip()[-300:]}",
            next_step="install its venv module (`apt-get install python3-venv`)",
            log=log,
        )
    return Venv(root=root)


def install(venv: Venv, words: tuple[str, ...], runner: Runner, log: Path) -> Finished:
    """Has pip install files and requirements, with the user's settings of pip."""
    # Bytecode would take longer to write than the few modules that are imported twice take to compile.
    options = ("--no-input", "--progress-bar=off", "--no-compile")
    return _pip(venv, ("install", *options, *words), runner, log)


def install_alike(
    venv: Venv,
    files: tuple[str, ...],
    *,
    like: Venv,
    exclude: tuple[str, ...],
    runner: Runner,
    log: Path,
) -> Finished:
    """Installs `files`, and all that `like` has beside the distributions `exclude`, in the same versions."""
    without = tuple(word for name in exclude for word in ("--exclude", name))
    frozen = _pip(like, ("freeze", "--all", *without), runner, None)  # unlogged, to keep every line
    beside = tuple(line for line in frozen.output.splitlines() if "==" in line)
    return install(venv, ("--no-deps", "--", *files, *beside), runner, log) if frozen.ok else frozen


def _pip(venv: Venv, words: tuple[str, ...], runner: Runner, log: Path | None) -> Finished:
    return run_pip(venv.python, words, runner, log)


def run_pip(python: str, words: tuple[str, ...], runner: Runner, log: Path | None) -> Finished:
    """Has this Python's pip work for another interpreter, with the user's settings of pip."""
    argv = (sys.executable, "-P", "-m", "pip", "--python", python, *words)
    return runner(Command(argv=argv, env=_plain_environment(), log=log))


def _plain_environment() -> Mapping[str, str]:
    """The user's environment, pip's settings in it, without what would make Python look elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
