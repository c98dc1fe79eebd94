"""Fresh venvs of this Python: one with the stock wheel, one with the slim one, and the same beside them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import parse_tag, sys_tags

from spokeshave.errors import VerifyError
from spokeshave.run import Command, Finished, Runner
from spokeshave.slim.model import Slimmed
from spokeshave.sources import pip_error
from spokeshave.wheel import WheelName


@dataclass(frozen=True, kw_only=True, slots=True)
class Venv:
    """A venv without pip, which this Python's own pip fills."""

    root: Path

    @property
    def python(self) -> str:
        return str(self.root / "bin" / "python")

    @property
    def site(self) -> Path:
        return next((self.root / "lib").glob("python3*/site-packages"))


def why_not_here(name: WheelName) -> str:
    """Why a wheel cannot be installed in this Python; empty where it can."""
    tag = f"{name.python}-{name.abi}-{name.platform}"
    if parse_tag(tag) & set(sys_tags()):
        return ""
    here = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]} on {sys.platform}"
    return f"a wheel for {tag} cannot be installed in {here}"


def make_pair(
    slimmed: Slimmed, *, extra: tuple[str, ...], folder: Path, runner: Runner, log: Path
) -> tuple[Venv, Venv]:
    """The venv of stock and the venv of ours: with what the wheel requires and `extra`, in one version.

    Raises NetworkError where pip cannot get that, and VerifyError where ours cannot be installed.
    """
    stock, ours = (_venv(folder / side, runner, log) for side in ("stock", "slim"))
    done = _pip(stock, ("install", str(slimmed.stock.path), *extra), runner, log)
    if not done.ok:
        fault = pip_error(done.output, f"{slimmed.stock.path.name} and what it requires", log)
        fault.next_step += "; --no-check leaves the check out"
        raise fault
    frozen = _pip(stock, ("freeze", "--all", "--exclude", slimmed.stock.project), runner, log)
    beside = tuple(line for line in frozen.output.splitlines() if "==" in line)
    done = _pip(ours, ("install", "--no-deps", str(slimmed.wheel), *beside), runner, log)
    if not (frozen.ok and done.ok):
        tail = "\n  ".join(done.output.splitlines()[-4:])
        raise VerifyError(f"{slimmed.wheel.name} cannot be installed:\n  {tail}", log=log)
    return stock, ours


def _venv(root: Path, runner: Runner, log: Path) -> Venv:
    done = runner(Command(argv=(sys.executable, "-m", "venv", "--without-pip", str(root)), log=log))
    if not done.ok:
        raise VerifyError(
            f"no venv can be made with {sys.executable}: {done.output.strip()[-300:]}",
            next_step="install its venv module (`apt-get install python3-venv`), or give --no-check",
        )
    return Venv(root=root)


def _pip(venv: Venv, words: tuple[str, ...], runner: Runner, log: Path) -> Finished:
    # Bytecode would take longer to write than the few modules that are imported twice take to compile.
    options = ("--no-input", "--progress-bar=off", "--no-compile") if words[0] == "install" else ()
    argv = (*(sys.executable, "-P", "-m", "pip", "--python", venv.python), words[0], *options, *words[1:])
    # The freeze is read to its last line, so that it is not logged.
    return runner(Command(argv=argv, env=_plain_environment(), log=log if options else None))


def _plain_environment() -> Mapping[str, str]:
    """The user's environment, pip's settings in it, without what would make Python look elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
