"""The nouns of reading imports: a reference as a file writes it, and the names it is resolved with."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

EdgeKind = Literal["import", "deferred", "guarded", "entry point"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A dotted name that a file uses on `line` (from 1), as far as it is spelt out.

    Its last parts may be attributes: only the whole tree shows which of them is the module. Where
    `beyond` is given, the import of that name is counted elsewhere, and only more than it is news.
    """

    name: str
    line: int
    kind: EdgeKind
    beyond: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """The text of one file and the module that it is a part of; `package` if that is an `__init__`."""

    text: str
    module: str
    package: bool = False


Reader = Callable[[Unit], list[Reference]]


def absolute(unit: Unit, name: str, level: int) -> str:
    """The full name of `level` dots and `name` inside a module; empty where the dots leave the tree."""
    if not level:
        return name
    parts = unit.module.split(".")
    keep = len(parts) - level + (1 if unit.package else 0)
    return ".".join([*parts[:keep], *([name] if name else [])]) if keep > 0 else ""


def parents(module: str) -> list[str]:
    """The packages that run before a module does, outermost first."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def covers(prefix: str, module: str) -> bool:
    """Whether a module is `prefix` or lies below it."""
    return module == prefix or module.startswith(f"{prefix}.")


def longest_known(name: str, modules: Collection[str]) -> str:
    """The longest beginning of a dotted name that is a module, or nothing."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name
