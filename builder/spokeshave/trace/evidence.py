"""Why a program needs a component: the signs in its runs, and the uses that no run can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from spokeshave.inside.levers.lever import fits
from spokeshave.recipes.schema import ComponentTable
from spokeshave.removal.readers.reader import covers
from spokeshave.trace.record import Run

_FOR_COMPILERS = (".h", ".pxd", ".a")


def is_loaded(part: ComponentTable, runs: Iterable[Run]) -> bool:
    """Whether a module of the component was loaded at all, be it along with its package."""
    inside = _inside(part)
    return any(inside(load.module) for run in runs for load in run.loads)


def evidence(name: str, part: ComponentTable, runs: Sequence[Run]) -> str | None:
    """The plainest sign that the program uses a component (`recipe/name`); None where there is none.

    A load during the load of another module of the stack is no sign: the import graph shows whether that
    import can be removed. The absence of signs shows nothing by itself: see `unseen`.
    """
    signs = (_imports, _calls, _deferred_imports, _names, _data)
    found = (sign for find in signs for run in runs for sign in find(part, run))
    return next(found, None) or next((why for run in runs if (why := _rechecked(name, run))), None)


def unseen(part: ComponentTable, run: Run) -> bool:
    """Whether the run could have used the component without a sign of it.

    Calls of Python code are visible in each run that lost nothing. Calls of compiled code are not, on any
    Python: other compiled code makes some, and a line that calls by value is recorded for a while only.
    """
    if not part.modules:
        return is_read_unseen(part, run)
    inside = _inside(part)
    kinds = {load.kind for load in run.loads if inside(load.module)} - {"stub"}
    return bool(kinds) and (bool(run.lost) or "ext" in kinds)


def is_read_unseen(part: ComponentTable, run: Run) -> bool:
    """Whether it is headers or declarations of a package that was loaded: compilers read them, unheard."""
    packages = {glob.partition("/")[0] for glob in part.files if _is_for_compilers(glob)}
    return not part.modules and any(load.module.partition(".")[0] in packages for load in run.loads)


def is_rechecked(name: str, run: Run) -> bool:
    """Whether the command has run again without the component and ended as before."""
    return run.recheck is not None and name in run.recheck.without


def harness(part: ComponentTable, runs: Iterable[Run]) -> str | None:
    """The conftest.py of a package that needs the component for the package's own tests; None for none."""
    inside = _inside(part)
    users = (one.user for run in runs for one in run.harness if inside(one.name))
    return next((f"{user} imports it, without which no test of that package runs" for user in users), None)


def _inside(part: ComponentTable) -> Callable[[str], bool]:
    return lambda module: any(covers(name, module) for name in part.modules)


def _is_for_compilers(glob: str) -> bool:
    return glob.endswith(_FOR_COMPILERS) or "/include/" in glob


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


def _rechecked(name: str, run: Run) -> str | None:
    return run.recheck.needed.get(name) if run.recheck else None
