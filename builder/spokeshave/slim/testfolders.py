"""Which folders of tests can be removed from a wheel without a recipe.

Only a folder `tests` or `test` inside a package, with a test_*.py or conftest.py below it, that nothing
else in the wheel names: no import, no entry point, no path made of its name, no documentation. What
documentation names is public: examples of gensim's docstrings import gensim.test.utils.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spokeshave.removal.readers.reader import covers
from spokeshave.slim.wheel_layout import EXT_SUFFIXES, TEST_FOLDERS, Source, site_folders, sources

_MARKS = ("test_*.py", "conftest.py")
_DOCUMENTATION = (".rst", ".md", ".txt", ".ipynb", ".html")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Folder:
    path: Path
    module: str


@dataclass(frozen=True, kw_only=True)
class _Text:
    """A file that is no module and may name one: a compiled module, an entry point, documentation."""

    path: Path
    member: str

    @cached_property
    def content(self) -> str:
        """The text of one that is not compiled."""
        return self.path.read_text("utf-8", "replace")

    def who_names(self, folder: _Folder) -> str:
        """This file and how it names the folder; empty where it does not."""
        if self.path.suffix in EXT_SUFFIXES or self.path.name == "entry_points.txt":
            content, name = self.path.read_bytes(), folder.module.encode()  # not kept: they may be large
            found = name in content and re.search(rb"\b" + re.escape(name) + rb"\b", content)
            return f"{self.member} names {folder.module}" if found else ""
        line = _mentioning_line(folder, self.content)
        return f"{self.member}:{line} mentions {folder.module}" if line else ""


def sort_test_folders(root: Path) -> tuple[tuple[Path, ...], Mapping[str, str]]:
    """The test folders of an unpacked wheel that can be removed, and why each other one is kept.

    A kept folder may use another one, so that the search is repeated until nothing changes.
    """
    removed = list(_candidates(root))
    reasons: dict[str, str] = {}
    everything: list[Source | _Text] = [*sources(root), *_texts(root)] if removed else []
    while True:
        outside = [one for one in everything if not any(one.path.is_relative_to(f.path) for f in removed)]
        named = {folder.path: _who_names(folder, outside) for folder in removed}
        kept = [folder for folder in removed if named[folder.path]]
        reasons |= {f.path.relative_to(root).as_posix(): named[f.path] for f in kept}
        removed = [folder for folder in removed if folder not in kept]
        if not kept:
            return tuple(folder.path for folder in removed), reasons


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


def _texts(root: Path) -> Iterator[_Text]:
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        in_info = path.parent.suffix == ".dist-info" and path.name in ("METADATA", "entry_points.txt")
        if in_info or path.suffix in (*EXT_SUFFIXES, *_DOCUMENTATION):
            yield _Text(path=path, member=path.relative_to(root).as_posix())


def _who_names(folder: _Folder, outside: Iterable[Source | _Text]) -> str:
    """Who names the folder, and how; empty where nobody does."""
    for one in outside:
        named = one.who_names(folder) if isinstance(one, _Text) else _how_named(folder, one)
        if named:
            return named
    return ""


def _how_named(folder: _Folder, source: Source) -> str:
    if line := _importing_line(folder, source):
        return f"{source.member}:{line} imports {folder.module}"
    if folder.path.name in source.path_parts:
        return f"{source.member} makes a path with {folder.path.name!r} in it"
    if line := _mentioning_line(folder, source.text):
        return f"{source.member}:{line} mentions {folder.module}"
    return ""


def _importing_line(folder: _Folder, source: Source) -> int:
    """The line (from 1) on which a module imports the folder or something in it; 0 where none does."""
    if source.references is None:  # no valid Python: the name alone must do
        return int(re.search(rf"\b{folder.path.name}\b", source.text) is not None)
    return next((ref.line for ref in source.references if covers(folder.module, ref.name)), 0)


def _mentioning_line(folder: _Folder, text: str) -> int:
    """The line (from 1) of a text that imports the folder, or names it or something in it; 0 without one.

    A test module's own name is no use of it ("see demo.tests.test_core"), nor is that of a function
    (`demo.test()` runs the tests).
    """
    parent, _, name = folder.module.rpartition(".")
    if name not in text or parent not in text:
        return 0
    module = re.escape(folder.module)
    use = rf"(?<![\w.]){module}(?![\w(])(?!\.(?:test_\w*|\w+_test|conftest)\b)"
    imports = rf"\b(?:from|import)\s+{module}\b"
    names = rf"\bfrom\s+{re.escape(parent)}\s+import\s+(?:\([^)]*|[^(\n]*)\b{name}\b"
    found = re.search(rf"{use}|{imports}|{names}", text)
    return text.count("\n", 0, found.start()) + 1 if found else 0
