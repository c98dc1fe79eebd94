"""Every module of every wheel, imported from PyPI's wheels and from ours."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spokeshave.context import Context
from spokeshave.machine.venvs import Venv
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen
from spokeshave.slim.import_check import SECONDS, Imported, fault_of, import_all
from spokeshave.slim.wheel_layout import module_of

_PATIENCE = 4  # times the usual seconds, for an import that is repeated
Results = Mapping[str, Imported]
Sides = tuple[Results, Results]


@dataclass(frozen=True, kw_only=True, slots=True)
class Modules:
    """By project: how many modules import from both, those that import from neither (why), and faults."""

    imported: Mapping[str, int]
    failing: Mapping[str, Mapping[str, str]]
    faults: Mapping[str, tuple[str, ...]]


def compare_modules(
    context: Context, chosen: Sequence[Chosen], pair: tuple[Venv, Venv], folder: Path
) -> Modules:
    """Imports the modules of each wheel in a process for each side; a fault is one that ours lacks.

    A fault must occur in two runs: on a busy machine an import can take longer than its time.
    """
    wanted = {str(one.pick.project): modules_to_compare(one) for one in chosen if not one.extra}
    excused = {str(one.pick.project): one.excused for one in chosen}
    imports = _Imports(context=context, pair=pair)
    found = imports.run(wanted, folder / "first", SECONDS)
    suspects = {
        name: tuple(one for one in wanted[name] if fault_of(one, theirs[one], ours[one], excused[name]))
        for name, (theirs, ours) in found.items()
    }
    again = imports.run(suspects, folder / "again", _PATIENCE * SECONDS)
    faults: dict[str, tuple[str, ...]] = {}
    for name, (theirs, ours) in again.items():
        texts = (fault_of(one, theirs[one], ours[one], excused[name]) for one in suspects[name])
        faults[name] = tuple(text for text in texts if text)
        found[name] = ({**found[name][0], **theirs}, {**found[name][1], **ours})
    failing = {
        name: {one: result.error for one, result in theirs.items() if result.error}
        for name, (theirs, _) in found.items()
    }
    return Modules(
        imported={
            name: sum(not (theirs[one].error or ours[one].error) for one in wanted[name])
            for name, (theirs, ours) in found.items()
        },
        failing={name: rows for name, rows in failing.items() if rows},
        faults={name: rows for name, rows in faults.items() if rows},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Imports:
    """Imports in both venvs, as many processes at a time as there are CPUs."""

    context: Context
    pair: tuple[Venv, Venv]

    def run(self, wanted: Mapping[str, tuple[str, ...]], folder: Path, seconds: int) -> dict[str, Sides]:
        """The results of PyPI's and of our modules, by project; `seconds` is the time of one import."""
        folder.mkdir(parents=True)
        order = sorted((name for name in wanted if wanted[name]), key=lambda name: -len(wanted[name]))
        jobs = [(name, venv) for name in order for venv in self.pair]
        done = itertools.count(1)

        def run_one(name: str, venv: Venv) -> Mapping[str, Imported]:
            place = folder / f"{name}-{venv.root.name}"
            found = import_all(venv, wanted[name], folder=place, runner=self.context.runner, seconds=seconds)
            self.context.reporter.line(f"[{next(done)}/{len(jobs)}] {name}")
            return found

        results = side_by_side(self.context.cpus, [partial(run_one, *job) for job in jobs])
        return {name: (results[2 * at], results[2 * at + 1]) for at, name in enumerate(order)}


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
