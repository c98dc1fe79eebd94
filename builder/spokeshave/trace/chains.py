"""The dotted names that code spells: of modules that it imports, or has as globals or in its closure.

Standard library only: `inject.py` copies it into the traced program's path. Names are looked up in modules'
dictionaries: nothing is imported, and no code of the program runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from types import CodeType, ModuleType
from typing import Any

from .origins import namespace, origins

Lookup = Callable[[str], object]

_PASSED = frozenset({"PUSH_NULL", "SWAP", "POP_TOP", "EXTENDED_ARG", "CACHE", "COPY", "NOP"})
_LOADS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF", "LOAD_CLASSDEREF"})
_CONSTANTS = frozenset({"LOAD_CONST", "LOAD_SMALL_INT", "LOAD_CONST_IMMORTAL"})


def find(dotted: str) -> object | None:
    """The object of a dotted name, if its modules are loaded and have it; attributes of others end it."""
    first, *rest = dotted.split(".")
    value: object | None = sys.modules.get(first)
    name = first
    for part in rest:
        name = f"{name}.{part}"
        if value is None or not issubclass(type(value), ModuleType):
            break
        value = namespace(value).get(part, sys.modules.get(name))
    return value


def roots(code: CodeType, look_up: Lookup, packages: Collection[str]) -> set[str]:
    """The modules of packages that dotted names of code may begin with; more than it spells, perhaps."""
    found = {name for name in code.co_names if name.partition(".")[0] in packages}
    for name in (*code.co_names, *code.co_freevars):
        value = look_up(name)
        if value is not None and issubclass(type(value), ModuleType):
            found.update(one for one in origins(value, bases=False) if one.partition(".")[0] in packages)
    return found


def members(code: CodeType, begin: Collection[str]) -> Iterator[object]:
    """What modules have under names of code, whether it spells them together or not: never too little."""
    waiting, known = list(begin), set(begin)
    while waiting:
        value = find(waiting.pop())
        names = namespace(value) if issubclass(type(value), ModuleType) else {}
        for one in [names[name] for name in code.co_names if name in names]:
            yield one
            if issubclass(type(one), ModuleType) and (name := _name_of(one)) not in known:
                known.add(name)
                waiting.append(name)


def chains(code: CodeType, look_up: Lookup, package: str) -> tuple[set[str], set[str]]:
    """The dotted names that code of a package spells, and those that it imports.

    Instructions are followed in their order, without branches. `getattr` of a module counts with every
    string of the code.
    """
    import dis  # noqa: PLC0415  (most programs start many processes that never need it)

    walk = _Walk(look_up, package)
    for step in dis.get_instructions(code):
        walk.step(step.opname, step.argval)
    if "getattr" in code.co_names:
        texts = [one for one in code.co_consts if type(one) is str and one.isidentifier()]
        walk.spelt |= {f"{name}.{text}" for name in walk.spelt for text in texts}
    return walk.spelt, walk.imported


class _Walk:
    """The dotted name on top of the stack, if it is one, and those that variables hold."""

    def __init__(self, look_up: Lookup, package: str) -> None:
        self.spelt: set[str] = set()
        self.imported: set[str] = set()
        self._look_up, self._package = look_up, package
        self._held: dict[str, str] = {}
        self._top = self._base = ""
        self._constants: tuple[object, object] = (0, None)  # before an import: its level, and what it takes

    def step(self, name: str, value: Any) -> None:
        """Takes one instruction."""
        if name.startswith("IMPORT_"):
            self._import(value, member=name == "IMPORT_FROM")
        elif name in ("LOAD_ATTR", "LOAD_METHOD"):
            self._top = f"{self._top}.{value}" if self._top else ""
        elif name in _LOADS:
            self._top = self._held.get(value) or self._named(value)
        elif name.startswith(("LOAD_FAST", "STORE_FAST")):
            self._fast(name, value if type(value) is tuple else (value,))
        elif name in ("STORE_NAME", "STORE_GLOBAL", "STORE_DEREF"):
            self._store(value)
        elif name in _CONSTANTS:
            self._constants, self._top = (self._constants[1], value), ""
        elif name not in _PASSED:
            self._top = ""
        if self._top:
            self.spelt.add(self._top)

    def _import(self, name: str, *, member: bool) -> None:
        level, takes = self._constants
        if member:
            self._top = f"{self._base}.{name}"
            if takes:
                self.imported.add(self._top)
            else:  # `import a.b as c` walks down from a
                self._base = self._top
            return
        if type(level) is int and level > 0:
            above = self._package.split(".")
            name = ".".join([*above[: len(above) - level + 1], *([name] if name else [])])
        self.imported.add(name)
        self._top = self._base = name if takes else name.partition(".")[0]

    def _fast(self, name: str, variables: tuple[str, ...]) -> None:
        """One instruction may do two things: STORE_FAST_LOAD_FAST, LOAD_FAST_LOAD_FAST."""
        ways = [part for part in name.split("_") if part in ("LOAD", "STORE")]
        for way, variable in zip(ways, variables, strict=False):
            if way == "STORE":
                self._store(variable)
            else:
                self._top = self._held.get(variable, "")

    def _store(self, variable: str) -> None:
        if self._top:
            self._held[variable] = self._top
        self._top = ""

    def _named(self, name: str) -> str:
        value = self._look_up(name)
        if value is None or not issubclass(type(value), ModuleType):
            return ""
        return _name_of(value)


def _name_of(module: object) -> str:
    return next(origins(module, bases=False), "")
