"""Takes a profile's components out of an unpacked wheel and leaves stubs that say so.

Runs inside the build container, so standard library only. A compile holds all components, so that profiles
share it; this removes the files, and writes a stub for each module.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from spokeshave.inside.levers.lever import Shaved, Tree, fits
from spokeshave.inside.model import BuildPlan, Removed
from spokeshave.inside.stub_message import NAME, removed_message

_EARLY = (
    '''"""Stub of {module}, which is not in this wheel (written by spokeshave)."""

import sys


'''
    + NAME
    + """

raise ModuleNotFoundError(
    {message!r},
    name=Name(__name__),
)
"""
)
# Pickling asks every loaded module for a name and forgives an AttributeError alone: hence placeholders for
# names, which raise when they are used. With a `__path__`, `from module import name` asks through importlib
# first, so that code which guards that import still learns of it.
_LATE = '''"""Stub of {module}, which is not in this wheel (written by spokeshave)."""

import sys

__path__ = []


def _fault(*args: object, **kwargs: object) -> object:
    raise ModuleNotFoundError(
        {message!r},
        name=__name__,
    )


class _LeftOut(type):
    """The placeholder of a function, a class, an exception or a value; using it raises."""

    __call__ = __lt__ = __le__ = __gt__ = __ge__ = __iter__ = __len__ = __getitem__ = _fault

    def __bool__(cls) -> bool:
        return True  # else `__len__` were asked, by help() too

    def __getattr__(cls, name: str) -> object:
        if name.startswith("_"):  # help() reads `_fields`
            raise AttributeError(name)
        return cls


_left_out = _LeftOut("left_out", (Exception,), {{}})


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    return _fault() if sys._getframe(1).f_code.co_name == "_handle_fromlist" else _left_out
'''


def remove(plan: BuildPlan, removed: Removed, tree: Tree) -> Shaved:
    """Deletes the component's files and writes its stubs; `saved` is what went less what the stubs take.

    Test files that the wheel keeps for the component's sake go into the tests archive, with the others.
    Raises ValueError where a module or a glob matches nothing.
    """
    gone: dict[Path, int] = {}
    for module in removed.modules:
        found = list(_files_of(tree, module))
        if not found:
            raise ValueError(f"component {removed.component!r}: there is no module {module} in the wheel")
        gone |= {path: path.stat().st_size for path in found}
    for glob in removed.files:
        matched = tree.matching((glob,))
        if not matched:
            raise ValueError(f"component {removed.component!r}: {glob!r} matches no file of the wheel")
        gone |= {path: path.stat().st_size for path in matched}
    kept_tests = next((row.options.get("keep", ()) for row in plan.levers if row.name == "tests"), ())
    for path in gone:
        if fits(tree.name(path), kept_tests):
            tree.move_to_tests(path)
        else:
            path.unlink()
    stubs = sum(_write_stub(plan, removed, module, tree) for module in removed.modules)
    return Shaved(saved=sum(gone.values()) - stubs, files=len(gone))


def _files_of(tree: Tree, module: str) -> Iterator[Path]:
    """A module's files: its package folder, or its source, ext module, stubs and declarations."""
    place = tree.root.joinpath(*module.split("."))
    if place.is_dir():
        yield from (path for path in sorted(place.rglob("*")) if path.is_file())
    if place.parent.is_dir():
        for path in sorted(place.parent.iterdir()):
            if path.is_file() and path.name.split(".")[0] == place.name:
                yield path


def _write_stub(plan: BuildPlan, removed: Removed, module: str, tree: Tree) -> int:
    place = tree.root.joinpath(*module.split("."))
    if not place.parent.is_dir():
        return 0  # its package is removed too, and has a separate stub
    if place.is_dir():
        shutil.rmtree(place)
    text = (_LATE if module in removed.late else _EARLY).format(
        module=module, message=removed_message(plan, removed, module)
    )
    stub = place.with_name(f"{place.name}.py")
    stub.write_text(text, "utf-8")
    return stub.stat().st_size
