"""Whether a slim wheel still imports: every module, compared with the PyPI wheel's in the same run."""

from __future__ import annotations

import json
import signal
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from spokeshave.errors import VerifyError
from spokeshave.inside.levers.lever import fits
from spokeshave.inside.run import SYSTEM_PATH, Command, Runner, clean_environment
from spokeshave.inside.stub_message import components_in, is_for
from spokeshave.machine.venvs import Venv
from spokeshave.removal.readers.reader import covers
from spokeshave.slim import import_worker
from spokeshave.slim.model import NOTHING, Excused, Slimmed
from spokeshave.slim.wheel_layout import module_of

_RESULTS = "results.jsonl"
_SHOWN = 5  # names that a fault lists
SECONDS = 120  # for one import; the slow ones take five, on a busy machine ten times that


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """The result of one import: the names that the module offers, or why it failed.

    `files` are those that the exception went through, innermost first.
    """

    offers: frozenset[str] = frozenset()
    error: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Imports:
    """The verdict: modules that import from both, faults, modules that fail from both, with the reason.

    `suspects` are, for each fault, the files of the wheel that it went through, innermost first.
    """

    imported: tuple[str, ...]
    faults: tuple[str, ...]
    failing_in_stock: Mapping[str, str] = field(default_factory=dict)
    suspects: tuple[tuple[str, ...], ...] = ()


def modules_to_try(slimmed: Slimmed) -> tuple[str, ...]:
    """The modules of the PyPI wheel, parents first, without scripts and removed tests."""
    with zipfile.ZipFile(slimmed.stock.path) as archive:
        members = [name for name in archive.namelist() if name not in slimmed.gone]
    names = {module_of(member) for member in members}
    stubs = slimmed.removals.stubs
    tried = (name for name in names if name and not any(covers(stub, name) for stub in stubs))
    return tuple(sorted(name for name in tried if name.rpartition(".")[2] != "__main__"))


def compare_imports(
    theirs: Mapping[str, Imported],
    ours: Venv,
    *,
    folder: Path,
    runner: Runner,
    excused: Excused = NOTHING,
    seconds: int = SECONDS,
) -> Imports:
    """Imports in the venv of our wheel what was imported from the PyPI wheel (`import_all`).

    `folder` must not exist yet; `seconds` is the time that one import may take. A fault is a module that
    imports from the PyPI wheel and not from ours, or that offers less there, unless that is `excused`.
    Raises VerifyError where the interpreter itself does not start.
    """
    mine = import_all(ours, theirs, folder=folder, runner=runner, seconds=seconds)
    faults = []
    suspects = []
    for name in theirs:
        if fault := fault_of(name, theirs[name], mine[name], excused):
            faults.append(fault)
            suspects.append(suspects_of(name, mine[name], ours.site))
    return Imports(
        imported=tuple(name for name in theirs if not (mine[name].error or theirs[name].error)),
        faults=tuple(faults),
        failing_in_stock={name: one.error for name, one in theirs.items() if one.error},
        suspects=tuple(suspects),
    )


def fault_of(name: str, theirs: Imported, ours: Imported, excused: Excused = NOTHING) -> str:
    """The fault of one module of ours, compared with PyPI's: an import that fails, or names that it lacks.

    It is empty if there is none, or if a removal explains it: that of a component, or of test modules, which
    are in the tests archive.
    """
    if theirs.error or fits(name, excused.lost) or _stubbed(excused, ours.error) or is_for(name, ours.error):
        return ""
    if ours.error:
        return f"import {name}: {ours.error}"
    lacking = theirs.offers - ours.offers if name not in excused.patched else ()
    lost = sorted(one for one in lacking if not fits(f"{name}.{one}", excused.lost))
    return f"{name} lacks {', '.join(lost[:_SHOWN])}" if lost else ""


def suspects_of(name: str, ours: Imported, site: Path) -> tuple[str, ...]:
    """The files of the wheel that a fault went through, innermost first, or those of the module."""
    if ours.error:
        return _members(ours.files, site)
    place = name.replace(".", "/")
    return f"{place}.py", f"{place}/__init__.py"


def _stubbed(excused: Excused, error: str) -> bool:
    """Whether an import runs into the stub of a recipe's component: the check of removals allowed that."""
    return any("/".join(one) not in excused.rules for one in components_in(error))


def _members(files: Iterable[str], site: Path) -> tuple[str, ...]:
    """The files that are in site-packages, by their names there."""
    places = (Path(file) for file in files)
    return tuple(path.relative_to(site).as_posix() for path in places if path.is_relative_to(site))


def import_all(
    venv: Venv,
    names: Iterable[str],
    *,
    folder: Path,
    runner: Runner,
    seconds: int = SECONDS,
    bytecode: bool = False,
) -> Mapping[str, Imported]:
    """Imports the modules in one process, and the rest in a new one whenever a module ends it.

    The results are in the order of `names`; `folder` must not exist yet. With `bytecode` the venv keeps that
    of the modules, which pays where several processes import them. Errors have no path of the venv.
    """
    folder.mkdir()
    results = folder / _RESULTS
    found: dict[str, Imported] = {}
    names = list(names)
    left = names
    while left:
        end = _run(_command(venv, left, folder, seconds, bytecode), runner, seconds)
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
    return {name: _without_places(found[name], venv, folder) for name in names}


def _without_places(one: Imported, venv: Venv, folder: Path) -> Imported:
    error = one.error
    for place, name in ((venv.site, ""), (venv.root, ""), (folder / "home", "~/")):
        error = error.replace(f"{place}/", name)
    return replace(one, error=error)


def _command(venv: Venv, names: list[str], folder: Path, seconds: int, bytecode: bool) -> Command:
    """Imports `names`, with a separate home folder."""
    (folder / "names.txt").write_text("\n".join(names), "utf-8")
    (folder / "home").mkdir(exist_ok=True)
    argv = (venv.python, "-I", *(() if bytecode else ("-B",)), str(Path(import_worker.__file__)))
    env = clean_environment(folder / "home", path=f"{Path(venv.python).parent}:{SYSTEM_PATH}")
    return Command(
        argv=(*argv, str(folder / "names.txt"), str(folder / _RESULTS), str(seconds)),
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
            ended[row["name"]] = Imported(
                offers=frozenset(row.get("offers", ())),
                error=row.get("error", ""),
                files=tuple(row.get("files", ())),
            )
        else:
            begun.append(row["name"])
    return begun, ended
