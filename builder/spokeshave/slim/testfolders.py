"""Which folders of tests may leave a wheel that nobody has written a recipe for.

Only a folder `tests` or `test` inside a package, with a test_*.py or conftest.py below it, that nothing
else in the wheel names: no import, no entry point, no path made of its name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.imports.base import covers
from spokeshave.slim.layout import EXT_SUFFIXES, TEST_FOLDERS, Source, site_folders, sources

_MARKS = ("test_*.py", "conftest.py")
# What a path to a file of one's own package starts from.
_ANCHORS = re.compile(r"\b(__file__|__path__|importlib[._]resources|pkgutil|pkg_resources)\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Folder:
    path: Path
    module: str


def sort_test_folders(root: Path) -> tuple[tuple[Path, ...], Mapping[str, str]]:
    """The test folders of an unpacked wheel that may go, and the reason why each other one stays.

    A folder that stays may use another one, so that the question is asked again until nothing changes.
    """
    going = list(_candidates(root))
    staying: dict[str, str] = {}
    everything = list(sources(root))
    while True:
        outside = [one for one in everything if not any(one.path.is_relative_to(f.path) for f in going)]
        named = {folder.path: _who_names(folder, root, outside, going) for folder in going}
        kept = [folder for folder in going if named[folder.path]]
        staying |= {f.path.relative_to(root).as_posix(): named[f.path] for f in kept}
        going = [folder for folder in going if folder not in kept]
        if not kept:
            return tuple(folder.path for folder in going), staying


def _candidates(root: Path) -> Iterator[_Folder]:
    for site in site_folders(root):
        for path in sorted(p for name in TEST_FOLDERS for p in site.rglob(name) if p.is_dir()):
            inside = path.relative_to(site).parts
            in_data = inside[0].endswith((".data", ".dist-info"))
            if in_data or len(inside) < 2 or not _holds_modules(path.parent):
                continue
            if any(True for mark in _MARKS for _ in path.rglob(mark)):
                yield _Folder(path=path, module=".".join(inside))


def _holds_modules(folder: Path) -> bool:
    return any(p.suffix in (".py", *EXT_SUFFIXES) for p in folder.iterdir() if p.is_file())


def _who_names(folder: _Folder, root: Path, outside: Iterable[Source], going: Iterable[_Folder]) -> str:
    """Who names the folder, and how; empty where nobody does."""
    for source in outside:
        if line := _importing_line(folder, source):
            return f"{source.member}:{line} imports {folder.module}"
        if _ANCHORS.search(source.text) and folder.path.name in _path_parts(source):
            return f"{source.member} makes a path with {folder.path.name!r} in it"
    gone = [f.path for f in going]
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.name != "RECORD"):
        told = path.suffix in EXT_SUFFIXES or path.name == "entry_points.txt"
        if not told or any(path.is_relative_to(other) for other in gone):
            continue
        if re.search(rf"\b{re.escape(folder.module)}\b".encode(), path.read_bytes()):
            return f"{path.relative_to(root).as_posix()} names {folder.module}"
    return ""


def _importing_line(folder: _Folder, source: Source) -> int:
    """The line (from 1) on which a module imports the folder or something in it; 0 where none does."""
    if source.references is None:  # no valid Python: the name alone must do
        return int(re.search(rf"\b{folder.path.name}\b", source.text) is not None)
    return next((ref.line for ref in source.references if covers(folder.module, ref.name)), 0)


def _path_parts(source: Source) -> set[str]:
    """All parts of the strings in a module that could be paths; its docstrings have blanks in them."""
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    paths = (text for text in texts if isinstance(text, str) and not re.search(r"\s", text))
    return {part for text in paths for part in re.split(r"[/\\.]", text)}
