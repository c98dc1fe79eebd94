"""How files of a wheel name test folders: by import, by path, in a text. Each file is read once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from spokeshave.slim.path_literals import Spelt
from spokeshave.slim.wheel_layout import EXT_SUFFIXES, TEST_FOLDERS, Source

_WORD = re.compile(r"\btests?\b")
_AFTER_DOT = re.compile(r"(?<=\.)tests?\b(?!\()")
_AFTER_DOT_BYTES = re.compile(_AFTER_DOT.pattern.removesuffix(r"(?!\()").encode())
_HEAD = re.compile(r"[\w.]*$")
_TAIL = re.compile(r"\.(\w*)")
_IMPORTS = re.compile(r"\b(?:from|import)\s+$")
_FROM = re.compile(r"\bfrom\s+([\w.]+)\s+import\s+(\([^)]{0,2000}|[^(\n]*)")
_TEST_MODULE = re.compile(r"test_\w*|\w+_test|conftest")
_LONGEST = 200  # characters of a dotted name; more is data


@dataclass(frozen=True, kw_only=True, slots=True)
class Uses:
    """What one file names: modules (dotted, with line and verb) and folders.

    `folders` are paths in the wheel; `endings` are ends of paths whose beginning only a run shows, such as
    `io/tests`.
    """

    modules: Mapping[str, str] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()
    endings: frozenset[str] = frozenset()


def uses_of_source(source: Source) -> Uses:
    """The test folders that a Python file names."""
    if not _WORD.search(source.text):
        return Uses()
    beside = PurePosixPath(source.member).parent
    modules = dict(_mentions(source.text))
    if source.references is None:  # no valid Python: the name alone must do, for folders of its packages
        lone = {name for name in TEST_FOLDERS if re.search(rf"\b{name}\b", source.text)}
        near = {str(parent / name) for parent in (beside, *beside.parents) for name in lone}
        return Uses(modules=modules, folders=frozenset(near))
    for reference in source.references[::-1]:  # the first line is what counts
        for name in _test_folders(reference.name):
            modules[name] = f":{reference.line} imports"
    ends = [end for path in source.paths for end in _ends(path, beside)]
    return Uses(
        modules=modules,
        folders=frozenset(place for place, known in ends if known),
        endings=frozenset(place for place, known in ends if not known),
    )


def uses_of_text(path: Path) -> Uses:
    """The test folders that an ext module, an entry point or a documentation file names."""
    if path.suffix not in EXT_SUFFIXES and path.name != "entry_points.txt":
        return Uses(modules=dict(_mentions(path.read_text("utf-8", "replace"))))
    content = path.read_bytes()
    found: dict[str, str] = {}
    for match in _AFTER_DOT_BYTES.finditer(content):
        before = content[max(0, match.start() - _LONGEST) : match.end()].decode("latin-1")
        parts = _head(before).split(".")
        found |= {".".join(parts[first:]): " names" for first in range(len(parts))}
    return Uses(modules=found)


def _head(text: str) -> str:
    """The dotted name that a text ends with."""
    found = _HEAD.search(text)
    return found[0] if found else ""


def _test_folders(name: str) -> Iterator[str]:
    """The beginnings of a dotted name that end in the name of a test folder."""
    parts = name.split(".")
    return (".".join(parts[: n + 1]) for n, part in enumerate(parts) if part in TEST_FOLDERS)


def _mentions(text: str) -> Iterator[tuple[str, str]]:
    """The dotted test folders that a text imports or names, and how.

    A test module's own name is no use of it ("see demo.tests.test_core"), nor is that of a function
    (`demo.test()` runs the tests).
    """
    found: dict[str, int] = {}
    for match in _AFTER_DOT.finditer(text):
        name = _head(text[max(0, match.start() - _LONGEST) : match.end()])
        first, tail = match.end() - len(name), _TAIL.match(text, match.end())
        alone = tail is not None and _TEST_MODULE.fullmatch(tail[1])
        if not alone or _IMPORTS.search(text[max(0, first - 20) : first]):
            found.setdefault(name, first)
    for match in _FROM.finditer(text):
        for word in set(_WORD.findall(match[2])):
            found.setdefault(f"{match[1]}.{word}", match.start())
    return ((name, f":{text.count(chr(10), 0, first) + 1} mentions") for name, first in found.items())


def _ends(path: Spelt, beside: PurePosixPath) -> Iterator[tuple[str, bool]]:
    """The test folders in a path, and whether the whole path to each is known.

    A name alone is that of the folder next to the module.
    """
    parts = list(path.parts)
    while parts and (parts[0] in ("", "..") or "*" in parts[0]) and path.above is None:
        above = parts.pop(0) == ".."
        beside = beside.parent if above else beside
    for number, part in enumerate(parts):
        if part not in TEST_FOLDERS:
            continue
        inside = parts[: number + 1]
        if path.above is None and number:
            yield "/".join(inside), False
            continue
        start = beside
        for _ in range(path.above or 0):
            start = start.parent
        yield str(start.joinpath(*inside)), True
