"""Why a program needs a component: what its runs have shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from spokeshave.imports.base import covers
from spokeshave.levers.base import fits
from spokeshave.tables import ComponentTable
from spokeshave.tracing.record import Run


def is_loaded(part: ComponentTable, runs: Iterable[Run]) -> bool:
    """Whether a module of the component was loaded at all, be it along with its package."""
    inside = _inside(part)
    return any(inside(load.module) for run in runs for load in run.loads)


def evidence(part: ComponentTable, runs: Sequence[Run]) -> str | None:
    """The plainest sign that the program uses a component; None where there is none.

    That a module was loaded while another one of the stack was is no sign: whether that import can go, the
    import graph tells.
    """
    signs = (_imports, _calls, _deferred_imports, _names, _data, _unknown)
    return next((sign for find in signs for run in runs for sign in find(part, run)), None)


def _inside(part: ComponentTable) -> Callable[[str], bool]:
    return lambda module: any(covers(name, module) for name in part.modules)


def _imports(part: ComponentTable, run: Run) -> Iterator[str]:
    """The program's own imports, of what was there to be loaded."""
    inside = _inside(part)
    for load in run.loads:
        if inside(load.module) and load.moment == "program":
            yield f"imported by {load.importer or 'the program'}"
    if is_loaded(part, [run]):
        yield from (f"imported by {one.user}" for one in run.mentions if inside(one.name))


def _calls(part: ComponentTable, run: Run) -> Iterator[str]:
    inside = _inside(part)
    for use in run.uses:
        if inside(use.module) and use.user == use.module:
            yield f"{use.module}.{_short(use.function)} ran"


def _deferred_imports(part: ComponentTable, run: Run) -> Iterator[str]:
    inside = _inside(part)
    for load in run.loads:
        if inside(load.module) and load.moment == "call" and not inside(load.importer):
            yield f"loaded by {load.importer}:{load.line}"


def _names(part: ComponentTable, run: Run) -> Iterator[str]:
    """Functions from elsewhere that ran and have a name from the component, used or not.

    A module's `__getattr__` hands submodules on, to `from numpy import *` for one, and uses none of them.
    """
    inside = _inside(part)
    for use in run.uses:
        if inside(use.module) and not inside(use.user) and use.function != "__getattr__":
            yield f"{use.user}.{_short(use.function)} ran, which has names from {use.module}"


def _short(function: str) -> str:
    return function.partition(".<locals>")[0]


def _data(part: ComponentTable, run: Run) -> Iterator[str]:
    return (f"read {name}" for name in run.data if fits(name, part.files))


def _unknown(part: ComponentTable, run: Run) -> Iterator[str]:
    if run.lost and is_loaded(part, [run]):
        yield f"loaded, and its use is not known ({run.lost[0]})"
