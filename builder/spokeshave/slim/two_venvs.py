"""Fresh venvs of this Python: one with the stock wheel, one with the slim one, and the same beside them."""

from __future__ import annotations

import sys
from pathlib import Path

from packaging.tags import parse_tag, sys_tags

from spokeshave.errors import VerifyError
from spokeshave.inside.run import Runner
from spokeshave.inside.wheel import WheelName
from spokeshave.machine.venvs import Venv, install, install_alike, make_venv
from spokeshave.slim.model import Slimmed, Stock
from spokeshave.sources.download import pip_error


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
    stock, ours = (make_venv(folder / side, runner, log) for side in ("stock", "slim"))
    done = install(stock, ("--", _installed(slimmed.stock), *extra), runner, log)
    if not done.ok:
        fault = pip_error(done.output, f"{slimmed.stock.path.name} and what it requires", log)
        fault.next_step += "; --no-check leaves the check out"
        raise fault
    project, files = slimmed.stock.project, (str(slimmed.wheel),)
    done = install_alike(ours, files, like=stock, exclude=(project,), runner=runner, log=log)
    if not done.ok:
        tail = "\n  ".join(done.output.splitlines()[-4:])
        raise VerifyError(f"{slimmed.wheel.name} cannot be installed:\n  {tail}", log=log)
    return stock, ours


def _installed(stock: Stock) -> str:
    """The wheel as pip takes it, with what its extras require."""
    path = stock.path.resolve()
    return f"{stock.project}[{','.join(stock.extras)}] @ {path.as_uri()}" if stock.extras else str(path)
