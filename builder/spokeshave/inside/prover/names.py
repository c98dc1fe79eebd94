"""What dir() lists of public modules and their public classes in the PyPI wheel, and which of it ours lacks.

Standard library only. All public modules have been imported before, in one order on both sides: what one of
them adds to another is there on both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

# The types of placeholder objects for a removed part, which have no names.
STAND_INS = frozenset({"_LeftOut", "_StandIn"})
# What Python itself sets where somebody asks or warns, in whatever order; and Cython's doctests, which go
# with the docstrings.
_PASSING = frozenset({"__annotations__", "__slotnames__", "__test__", "__warningregistry__"})


def offered(modules: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The names of each module, without its submodules, and of each class by its shortest public path.

    `from` is the module whose code defines the owner, `names` maps each name to the module that defines its
    value where that is another one, else to an empty text.

    A submodule that is public is itself among the modules, and one that is not may be loaded by anything.
    """
    owners: dict[str, object] = {name: sys.modules[name] for name in modules}
    classes: dict[int, str] = {}
    for path, value in (row for name in owners for row in _public_classes(name)):
        known = classes.get(id(value))
        if known is None or _order(path) < _order(known):
            classes[id(value)] = path
    owners |= {path: _find(path) for path in classes.values()}
    names = {path: _names(path, value) for path, value in sorted(owners.items())}
    files = {str(getattr(one, "__file__", "")): name for name, one in list(sys.modules.items())}
    return {path: _described(owners[path], found, files) for path, found in names.items()}


def _described(owner: object, names: Iterable[str], files: Mapping[str, str]) -> dict[str, Any]:
    """Asks for values, which may load more: all names have been listed before."""
    home = _origin(owner, files)
    origins = {name: _origin(_value(owner, name), files) for name in names}
    return {"from": home, "names": {name: "" if one == home else one for name, one in origins.items()}}


def _origin(value: object, files: Mapping[str, str]) -> str:
    """The module whose code defines a value, as its code says: `__module__` often names a public module."""
    if isinstance(value, ModuleType):
        return value.__name__
    functions = vars(value).values() if isinstance(value, type) else (value,)
    codes = (getattr(one, "__code__", None) for one in functions)
    places = (files.get(str(getattr(code, "co_filename", ""))) for code in codes if code)
    return next((place for place in places if place), str(getattr(value, "__module__", "") or ""))


def _value(owner: object, name: str) -> object:
    try:
        return getattr(owner, name)
    except BaseException:  # a property of a class may raise anything
        return None


def lacking(stock: Mapping[str, Mapping[str, Any]], imported: Iterable[str]) -> dict[str, dict[str, str]]:
    """Names of the PyPI wheel that are not in dir() here, and what each of them answers when it is asked for.

    Owners that are not here, or that are placeholders, are left to the check of imports.
    """
    here = frozenset(imported)
    found = {}
    for path, row in stock.items():
        owner = _find(path) if {path, path.rpartition(".")[0]} & here else None
        if owner is None or _stands_in(owner):
            continue
        gone = sorted(set(row["names"]) - set(_dir(owner)))
        if gone:
            found[path] = {name: _ask(owner, name) for name in gone}
    return found


def _public_classes(module: str) -> Iterator[tuple[str, type]]:
    """The classes of the same package that a module has under a public name."""
    package = module.partition(".")[0]
    for name, value in sorted(vars(sys.modules[module]).items()):
        if name.startswith("_") or not isinstance(value, type) or _stands_in(value):
            continue
        if str(getattr(value, "__module__", "")).partition(".")[0] == package:
            yield f"{module}.{name}", value


def _order(path: str) -> tuple[int, str]:
    return path.count("."), path


def _find(path: str) -> object:
    """A module, or what a module has under a name; None where there is neither."""
    if path in sys.modules:
        return sys.modules[path]
    module, _, name = path.rpartition(".")
    try:
        return getattr(sys.modules[module], name)
    except BaseException:  # a stub may raise anything
        return None


def _stands_in(value: object) -> bool:
    """Whether a value is a placeholder for a removed part, or a class that derives from one."""
    return any(type(one).__name__ in STAND_INS for one in (value, *getattr(value, "__mro__", ())))


def _names(path: str, owner: object) -> list[str]:
    inside = isinstance(owner, ModuleType)
    names = (name for name in _dir(owner) if not (inside and f"{path}.{name}" in sys.modules))
    return sorted(names)


def _dir(owner: object) -> list[str]:
    try:
        names = dir(owner)
    except BaseException:
        return []
    return [name for name in names if name not in _PASSING]


def _ask(owner: object, name: str) -> str:
    try:
        getattr(owner, name)
    except BaseException as fault:
        return f"{type(fault).__name__}: {fault}"
    return ""
