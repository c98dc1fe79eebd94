"""Folders of headers: each is kept whole or removed whole.

Headers include one another, so that a part of them compiles nothing. With a folder of headers, the other
files that a compile against its package needs are kept: Cython declarations and static libraries.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from spokeshave.inside.levers.lever import Tree
from spokeshave.slim.wheel_layout import EXT_SUFFIXES

DECLARATIONS = (".h", ".hpp", ".a", ".pxd")  # what the lever `headers` removes
_FOLDERS = ("include", "includes")
_DATA_HEADERS = re.compile(r"^[^/]+\.data/headers(?=/)")
# What other languages of the C family call the same, and names without an ending, as Eigen's are.
_ALIKE = re.compile(
    r"(?i)^\.(hh|hxx|h\+\+|inl|inc|ipp|tcc|tpp|txx|cuh|cu|cl|def|c|cc|cpp|cxx|pxi|pyx|f|f90)$|^$"
)
# C, Cython and Fortran.
_INCLUDE = re.compile(r"""^[ \t]*(?:#[ \t]*)?include[ \t]*["'<]([^"'>\n]+)["'>]""", re.MULTILINE)
_LICENCE = re.compile(r"(?i)licen[cs]e|copying|notice")


@dataclass(frozen=True, kw_only=True, slots=True)
class Includes:
    """What happens to files in folders of headers, by their names in the wheel.

    `inside` are all files in such folders. `kept` are the files that are kept with a folder, in it or
    elsewhere, and `removed` those that are removed with one.
    """

    inside: frozenset[str]
    kept: frozenset[str]
    removed: frozenset[str]


def sort_includes(names: Collection[str], named: Collection[str]) -> Includes:
    """What happens to the include folders among all `names`, of which modules mention those in `named`."""
    folders = {name: folder for name in names if (folder := include_folder(name))}
    headers = {folder for name, folder in folders.items() if name.endswith(DECLARATIONS)}
    whole = {folder for name, folder in folders.items() if name in named and _is_source(name)} & headers
    packages = {folder.partition("/")[0] for folder in whole if not _DATA_HEADERS.match(f"{folder}/")}
    kept = {name for name, folder in folders.items() if folder in whole}
    kept |= {n for n in names if n.endswith(DECLARATIONS) and n.partition("/")[0] in packages}
    removed = {name for name, folder in folders.items() if folder in headers - whole and _is_source(name)}
    inside = frozenset(name for name, folder in folders.items() if folder in headers)
    return Includes(inside=inside, kept=frozenset(kept), removed=frozenset(removed - kept))


def include_folder(name: str) -> str:
    """The outermost folder of headers that a file is in; empty where it is in none."""
    if found := _DATA_HEADERS.match(name):
        return found[0]
    parts = name.split("/")[:-1]
    at = next((number for number, part in enumerate(parts) if part in _FOLDERS), None)
    return "" if at is None else "/".join(parts[: at + 1])


def with_included(tree: Tree, names: frozenset[str]) -> frozenset[str]:
    """The names, and those of the files in the same package that the C sources among them include."""
    ends: dict[str, list[str]] = {}
    for path in tree.files():
        ends.setdefault(path.name, []).append(tree.name(path))
    found, left = set(names), [name for name in names if _is_source(name)]
    while left:
        name = left.pop()
        text = (tree.root / name).read_text("utf-8", "replace")
        for included in _INCLUDE.findall(text):
            parts = PurePosixPath(included).parts
            tail = PurePosixPath(*(part for part in parts if part not in (".", "..")))
            others = {
                other
                for other in ends.get(tail.name, ())
                if other not in found
                and f"/{other}".endswith(f"/{tail}")
                and other.partition("/")[0] == name.partition("/")[0]
            }
            found |= others
            left += others
    return frozenset(found)


def _is_source(name: str) -> bool:
    """Whether a file is for compilers alone: neither a module nor data."""
    path = PurePosixPath(name)
    if path.suffix in (".py", ".pyi", *EXT_SUFFIXES) or _LICENCE.search(path.name):
        return False
    return name.endswith(DECLARATIONS) or _ALIKE.match(path.suffix) is not None
