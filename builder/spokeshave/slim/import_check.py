"""Whether a slim wheel still imports: every module, compared with the PyPI wheel's in the same run."""

from __future__ import annotations

import json
import signal
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spokeshave.errors import VerifyError
from spokeshave.inside.levers.lever import fits
from spokeshave.inside.run import SYSTEM_PATH, Command, Runner, clean_environment
from spokeshave.machine.venvs import Venv
from spokeshave.slim import import_worker
from spokeshave.slim.model import Slimmed
from spokeshave.slim.wheel_layout import module_of

SECONDS = 120  # for one import; the slow ones take five, on a busy machine ten times that


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """The result of one import: the names that the module offers, or why it failed."""

    offers: frozenset[str] = frozenset()
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Imports:
    """The verdict: modules that import from both, faults, modules that fail from both, with the reason."""

    imported: tuple[str, ...]
    faults: tuple[str, ...]
    failing_in_stock: Mapping[str, str] = field(default_factory=dict)


def modules_to_try(slimmed: Slimmed) -> tuple[str, ...]:
    """The modules of the PyPI wheel, parents first, without scripts and removed tests."""
    with zipfile.ZipFile(slimmed.stock.path) as archive:
        members = [name for name in archive.namelist() if name not in slimmed.gone]
    names = {module_of(member) for member in members}
    return tuple(sorted(name for name in names if name and name.rpartition(".")[2] != "__main__"))


def compare_imports(
    slimmed: Slimmed, stock: Venv, ours: Venv, *, folder: Path, runner: Runner, seconds: int = SECONDS
) -> Imports:
    """Imports every module in both venvs; `seconds` is the time that one import may take.

    A fault is a module that imports from the PyPI wheel and not from ours, or that offers less there, unless
    a removed component takes the module or the names along.
    Raises VerifyError where the interpreter itself does not start.
    """
    names = modules_to_try(slimmed)
    theirs = import_all(stock, names, folder=folder / "stock-imports", runner=runner, seconds=seconds)
    mine = import_all(ours, names, folder=folder / "slim-imports", runner=runner, seconds=seconds)
    faults = []
    for name in names:
        if theirs[name].error:
            continue
        if fits(name, slimmed.lost):
            continue
        if mine[name].error:
            faults.append(f"import {name}: {mine[name].error}")
        else:
            lacking = theirs[name].offers - mine[name].offers
            if lost := sorted(one for one in lacking if not fits(f"{name}.{one}", slimmed.lost)):
                faults.append(f"{name} lacks {', '.join(lost[:5])}")
    return Imports(
        imported=tuple(name for name in names if not (mine[name].error or theirs[name].error)),
        faults=tuple(faults),
        failing_in_stock={name: one.error for name, one in theirs.items() if one.error},
    )


def import_all(
    venv: Venv, names: Iterable[str], *, folder: Path, runner: Runner, seconds: int
) -> Mapping[str, Imported]:
    """Imports the modules in one process, and the rest in a new one whenever a module ends it."""
    folder.mkdir()
    results = folder / "results.jsonl"
    found: dict[str, Imported] = {}
    left = list(names)
    while left:
        end = _run(_command(venv, left, folder, results, seconds), runner, seconds)
        begun, ended = _read(results)
        found |= ended
        if dead := [name for name in begun if name not in found]:
            found[dead[0]] = Imported(error=end)
        rest = [name for name in left if name not in found]
        if len(rest) == len(left):
            raise VerifyError(
                f"{venv.python} imports nothing: {end}",
                next_step="try that interpreter by hand, or another Python on PATH",
            )
        left = rest
    return found


def _command(venv: Venv, names: list[str], folder: Path, results: Path, seconds: int) -> Command:
    """Imports `names`, with a separate home folder."""
    (folder / "names.txt").write_text("\n".join(names), "utf-8")
    (folder / "home").mkdir(exist_ok=True)
    argv = (venv.python, "-I", "-B", str(Path(import_worker.__file__)))
    env = clean_environment(folder / "home", path=f"{Path(venv.python).parent}:{SYSTEM_PATH}")
    return Command(
        argv=(*argv, str(folder / "names.txt"), str(results), str(seconds)),
        cwd=folder / "home",
        env=env,
        timeout=float(seconds * 10 + 600),
    )


def _run(command: Command, runner: Runner, seconds: int) -> str:
    """Runs the worker once; returns why a module whose import did not end has no result."""
    late = f"its import did not end within {seconds} s"
    try:
        done = runner(command)
    except TimeoutError:
        return late
    if done.returncode == -signal.SIGALRM:
        return late
    tail = done.output.strip().splitlines()[-1:]
    return f"the interpreter ended with {done.returncode}" + "".join(f": {line[:300]}" for line in tail)


def _read(results: Path) -> tuple[list[str], dict[str, Imported]]:
    """The modules whose import began, and the results of those whose import ended."""
    begun: list[str] = []
    ended: dict[str, Imported] = {}
    for line in results.read_text("utf-8").splitlines() if results.is_file() else ():
        row = json.loads(line)
        if "offers" in row or "error" in row:
            ended[row["name"]] = Imported(offers=frozenset(row.get("offers", ())), error=row.get("error", ""))
        else:
            begun.append(row["name"])
    return begun, ended
