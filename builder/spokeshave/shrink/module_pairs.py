"""Every module of every wheel, imported from PyPI's wheels and from ours."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spokeshave.context import Context
from spokeshave.inside.levers.lever import fits
from spokeshave.machine.venvs import Venv
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen
from spokeshave.slim.import_check import SECONDS, Imported, import_all
from spokeshave.slim.wheel_layout import module_of

_SHOWN = 5  # names that a fault lists


@dataclass(frozen=True, kw_only=True, slots=True)
class Modules:
    """By project: how many modules import from both, those that import from neither (why), and faults."""

    imported: Mapping[str, int]
    failing: Mapping[str, Mapping[str, str]]
    faults: Mapping[str, tuple[str, ...]]


def compare_modules(
    context: Context, chosen: Sequence[Chosen], pair: tuple[Venv, Venv], folder: Path
) -> Modules:
    """Imports the modules of each wheel in a process for each side; a fault is one that ours lacks."""
    folder.mkdir()
    wanted: dict[str, tuple[str, ...]] = {
        str(one.pick.project): modules_to_compare(one) for one in chosen if not one.extra
    }
    order = sorted((name for name in wanted if wanted[name]), key=lambda name: -len(wanted[name]))
    jobs = [(name, side, venv) for name in order for side, venv in zip(("pypi", "ours"), pair, strict=True)]
    count = 0

    def run(name: str, side: str, venv: Venv) -> Mapping[str, Imported]:
        nonlocal count
        place = folder / f"{name}-{side}"
        found = import_all(venv, wanted[name], folder=place, runner=context.runner, seconds=SECONDS)
        count += 1
        context.reporter.line(f"[{count}/{len(jobs)}] {name}")
        return found

    results = side_by_side(context.cpus, [partial(run, *job) for job in jobs])
    found = {(name, side): result for (name, side, _), result in zip(jobs, results, strict=True)}
    lost = {str(one.pick.project): one.lost for one in chosen}
    imported: dict[str, int] = {}
    failing: dict[str, Mapping[str, str]] = {}
    faults: dict[str, tuple[str, ...]] = {}
    for name in order:
        theirs, ours = found[name, "pypi"], found[name, "ours"]
        imported[name] = sum(not (theirs[one].error or ours[one].error) for one in wanted[name])
        failing[name] = {one: theirs[one].error for one in wanted[name] if theirs[one].error}
        texts = (_fault(one, theirs[one], ours[one], lost[name]) for one in wanted[name])
        faults[name] = tuple(text for text in texts if text)
    return Modules(
        imported=imported,
        failing={name: rows for name, rows in failing.items() if rows},
        faults={name: rows for name, rows in faults.items() if rows},
    )


def _fault(name: str, theirs: Imported, ours: Imported, removed: tuple[str, ...]) -> str:
    """What ours lacks and no removal takes; empty for nothing."""
    if theirs.error or fits(name, removed):
        return ""
    if ours.error:
        return f"import {name}: {ours.error}"
    lost = sorted(one for one in theirs.offers - ours.offers if not fits(f"{name}.{one}", removed))
    return f"{name} lacks {', '.join(lost[:_SHOWN])}" if lost else ""


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
