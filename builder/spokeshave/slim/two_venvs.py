"""The two venvs of the check: one with the PyPI wheel, one with the slim wheel, all else the same."""

from __future__ import annotations

import sys
from pathlib import Path

from packaging.tags import parse_tag, sys_tags

from spokeshave.errors import VerifyError
from spokeshave.inside.run import Runner
from spokeshave.inside.wheel import WheelName
from spokeshave.machine.venv_pair import InstallFailed, make_venv_pair
from spokeshave.machine.venvs import Venv, install
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
    """The venvs of the PyPI wheel and of ours, with the wheel's requirements and `extra` in one version.

    Raises NetworkError where pip cannot get those, and VerifyError where ours cannot be installed.
    """
    try:
        return make_venv_pair(
            folder,
            ("pypi", "slim"),
            reference=("--", _installed(slimmed.stock), *extra),
            ours=(str(slimmed.wheel), *([str(slimmed.library.wheel)] if slimmed.library else [])),
            replaced=(slimmed.stock.project,),
            runner=runner,
            log=log,
        )
    except InstallFailed as failed:
        if failed.side == "ours":
            what = f"{slimmed.wheel.name} cannot be installed:\n  {failed.tail}"
            raise VerifyError(what, log=log) from failed
        fault = pip_error(failed.output, f"{slimmed.stock.path.name} and what it requires", log)
        fault.next_step += "; --no-check skips the check"
        raise fault from failed


def replace_wheel(venv: Venv, slimmed: Slimmed, *, runner: Runner, log: Path) -> None:
    """Installs another slim wheel of the same name and version; raises VerifyError where that fails."""
    words = ("--no-deps", "--force-reinstall", "--", str(slimmed.wheel))
    if not (done := install(venv, words, runner, log)).ok:
        raise VerifyError(f"{slimmed.wheel.name} cannot be installed:\n  {done.output[-500:]}", log=log)


def _installed(stock: Stock) -> str:
    """The wheel as pip takes it, with the requirements of its extras."""
    path = stock.path.resolve()
    return f"{stock.project}[{','.join(stock.extras)}] @ {path.as_uri()}" if stock.extras else str(path)
