"""Every module of every wheel, imported from PyPI's wheels and from ours."""

from __future__ import annotations

import itertools
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from spokeshave.context import Context
from spokeshave.machine.venvs import Venv
from spokeshave.shrink.blame import Fault
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen
from spokeshave.slim.import_check import SECONDS, Imported, fault_of, import_all, suspects_of
from spokeshave.slim.wheel_layout import module_of

_PATIENCE = 4  # times the usual seconds, for an import that is repeated
Wanted = Mapping[str, Sequence[str]]  # modules by project
Results = Mapping[str, Mapping[str, Imported]]  # by project and module


@dataclass(frozen=True, kw_only=True, slots=True)
class Modules:
    """The imports from PyPI's wheels and from ours, and the faults."""

    theirs: Results = field(default_factory=dict)
    ours: Results = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def imported(self) -> Mapping[str, int]:
        """By project, how many modules import from both."""
        return {
            project: sum(not (one.error or self.theirs[project][name].error) for name, one in rows.items())
            for project, rows in self.ours.items()
        }

    @property
    def failing(self) -> Mapping[str, Mapping[str, str]]:
        """By project, the modules that fail from PyPI's wheels, and why."""
        found = {
            project: {name: error for name in rows if (error := self.theirs[project][name].error)}
            for project, rows in self.ours.items()
        }
        return {project: rows for project, rows in found.items() if rows}


def compare_modules(
    context: Context,
    chosen: Sequence[Chosen],
    pair: tuple[Venv, Venv],
    folder: Path,
    *,
    wanted: Wanted,
    before: Modules | None = None,
) -> Modules:
    """Imports modules from ours, and from PyPI's those that `before` does not have; a process for each wheel.

    The results replace those of `before`. A module that does less from ours is imported again, with more
    time: a fault must occur in two runs.
    """
    before = before or Modules()
    imports = _Imports(context=context, pair=pair, folder=folder)
    missing = {
        project: [name for name in names if name not in before.theirs.get(project, {})]
        for project, names in wanted.items()
    }
    first = imports.run(missing, wanted, SECONDS)
    theirs, ours = _merged(before.theirs, first[0]), _merged(before.ours, first[1])
    suspects = _names(_faults(wanted, theirs, ours, chosen, pair[1]))
    again = _conclusive(*imports.run(suspects, suspects, _PATIENCE * SECONDS))
    theirs, ours = _merged(theirs, again[0]), _merged(ours, again[1])
    old = (fault for fault in before.faults if fault.name not in wanted.get(fault.project, ()))
    new = _faults(suspects, theirs, ours, chosen, pair[1])
    return Modules(theirs=theirs, ours=ours, faults=(*old, *new))


def _faults(
    wanted: Wanted, theirs: Results, ours: Results, chosen: Sequence[Chosen], venv: Venv
) -> tuple[Fault, ...]:
    """The modules that do less from ours, which are in `venv`."""
    excused = {str(one.pick.project): one.excused for one in chosen}
    return tuple(
        Fault(project=project, kind="module", name=name, text=text, files=suspects_of(name, mine, venv.site))
        for project, names in wanted.items()
        for name, mine in ((name, ours[project][name]) for name in names)
        if (text := fault_of(name, theirs[project][name], mine, excused[project]))
    )


def _names(faults: Sequence[Fault]) -> Wanted:
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.project, []).append(fault.name)
    return found


def _conclusive(theirs: Results, ours: Results) -> tuple[Results, Results]:
    """Both without modules that fail from PyPI's wheels: they need one that was imported before them."""
    good = {name: {one for one, row in rows.items() if not row.error} for name, rows in theirs.items()}
    both = ({name: {one: side[name][one] for one in good[name]} for name in good} for side in (theirs, ours))
    first, second = both
    return first, second


def _merged(before: Results, after: Results) -> Results:
    return {**before, **{project: {**before.get(project, {}), **rows} for project, rows in after.items()}}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Imports:
    """Imports in both venvs, as many processes at a time as there are CPUs."""

    context: Context
    pair: tuple[Venv, Venv]
    folder: Path

    def run(self, theirs: Wanted, ours: Wanted, seconds: int) -> tuple[Results, Results]:
        """The results of PyPI's and of our modules; `seconds` is the time of one import."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        sides = tuple(zip(self.pair, (theirs, ours), strict=True))
        names = sorted(ours, key=lambda name: -len(ours[name]))
        jobs = [(name, venv, side[name]) for name in names for venv, side in sides if side[name]]
        done = itertools.count(1)

        def run_one(project: str, venv: Venv, modules: Sequence[str]) -> Mapping[str, Imported]:
            found = import_all(
                venv,
                modules,
                folder=place / f"{project}-{venv.root.name}",
                runner=self.context.runner,
                seconds=seconds,
                bytecode=True,
            )
            self.context.reporter.line(f"[{next(done)}/{len(jobs)}] {project}")
            return found

        results = side_by_side(self.context.cpus, [partial(run_one, *job) for job in jobs])
        found: tuple[dict[str, Mapping[str, Imported]], dict[str, Mapping[str, Imported]]] = ({}, {})
        for (name, venv, _), rows in zip(jobs, results, strict=True):
            found[self.pair.index(venv)][name] = rows
        return found


def modules_to_compare(one: Chosen) -> tuple[str, ...]:
    """The modules of PyPI's wheel, parents first, without scripts and without what ours lacks on purpose.

    A wheel that was compiled has other private modules: for it these are the modules that both wheels have.
    """
    names = _modules(one.stock) if one.tier == "built" else _modules(one.stock, set(one.gone))
    if one.tier == "built":
        names &= _modules(one.wheel)
    return tuple(sorted(name for name in names if name.rpartition(".")[2] != "__main__"))


def _modules(wheel: Path, without: set[str] | frozenset[str] = frozenset()) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name not in without]
    return {name for member in members if (name := module_of(member))}
