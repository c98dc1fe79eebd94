"""Which folders of tests can be removed from a wheel without a recipe.

Only a folder `tests` or `test` inside a package, with a test_*.py or conftest.py below it, that nothing
else in the wheel names: no import, no entry point, no path that ends in it, no documentation. What
documentation names is public: examples of gensim's docstrings import gensim.test.utils. A conftest.py is a
test file wherever it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from spokeshave.slim.folder_mentions import Uses, uses_of_source, uses_of_text
from spokeshave.slim.model import Left
from spokeshave.slim.wheel_layout import EXT_SUFFIXES, TEST_FOLDERS, Source, site_folders, sources

_MARKS = ("test_*.py", "conftest.py")
_DOCUMENTATION = (".rst", ".md", ".txt", ".ipynb", ".html")
_REASONS = {
    "imports": "test folders are kept that other modules import",
    "names": "test folders are kept that ext modules or entry points name",
    "mentions": "test folders are kept that docstrings, comments or documentation mention",
    "makes a path to": "test folders are kept that other modules make a path to",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Folder:
    path: Path
    member: str
    module: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Text:
    """A file that is no module and may name one: a compiled module, an entry point, documentation."""

    path: Path
    member: str


def sort_test_folders(root: Path) -> tuple[tuple[Path, ...], tuple[Left, ...]]:
    """The test folders of an unpacked wheel that can be removed, and why each other one is kept.

    Each file is read once: first those outside the folders, then those in folders that are kept, as they
    may use other ones. Of test modules in there, imports alone count: paths are for who runs the tests.
    """
    folders = {folder.member: folder for folder in _candidates(root)}
    waiting = [file for file in _files(root) if _counts(file, folders)] if folders else []
    kept: list[Left] = []
    while True:
        outside = [file for file in waiting if not _within(file.member, folders)]
        waiting = [file for file in waiting if _within(file.member, folders)]
        found = [left for file in outside for left in _take_named(file, folders)]
        if not found:
            return tuple(folder.path for folder in folders.values()), tuple(kept)
        kept += found


def _candidates(root: Path) -> Iterator[_Folder]:
    for site in site_folders(root):
        for path in sorted(p for name in TEST_FOLDERS for p in site.rglob(name) if p.is_dir()):
            inside = path.relative_to(site).parts
            in_data = inside[0].endswith((".data", ".dist-info"))
            if in_data or len(inside) < 2 or not _holds_modules(path.parent):
                continue
            if any(True for mark in _MARKS for _ in path.rglob(mark)):
                member = path.relative_to(root).as_posix()
                yield _Folder(path=path, member=member, module=".".join(inside))


def _holds_modules(folder: Path) -> bool:
    return any(p.suffix in (".py", *EXT_SUFFIXES) for p in folder.iterdir() if p.is_file())


def _files(root: Path) -> Iterator[Source | _Text]:
    yield from sources(root)
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        in_info = path.parent.suffix == ".dist-info" and path.name in ("METADATA", "entry_points.txt")
        if in_info or path.suffix in (*EXT_SUFFIXES, *_DOCUMENTATION):
            yield _Text(path=path, member=path.relative_to(root).as_posix())


def _counts(file: Source | _Text, folders: Collection[str]) -> bool:
    """Whether a file says which folders are used; a conftest.py outside of them is a test file too."""
    return file.path.name != "conftest.py" or _within(file.member, folders)


def _within(member: str, folders: Collection[str]) -> bool:
    return any(str(parent) in folders for parent in PurePosixPath(member).parents)


def _take_named(file: Source | _Text, folders: dict[str, _Folder]) -> Iterator[Left]:
    """Takes the folders that a file names out of `folders`, with how it does."""
    if isinstance(file, Source):
        uses = uses_of_source(file)
        if fnmatchcase(file.path.name, _MARKS[0]):
            uses = replace(uses, folders=frozenset(), endings=frozenset())
    else:
        uses = uses_of_text(file.path)
    if uses == Uses():
        return
    for member, folder in tuple(folders.items()):
        if how := _how_named(folder, uses):
            verb = next(verb for verb in _REASONS if verb in how)
            size = sum(path.stat().st_size for path in folder.path.rglob("*") if path.is_file())
            yield Left(
                name=member, reason=_REASONS[verb], detail=f"{file.member}{how} {folder.module}", size=size
            )
            del folders[member]


def _how_named(folder: _Folder, uses: Uses) -> str:
    """Line and verb of a use; empty where there is none."""
    if how := uses.modules.get(folder.module):
        return how
    ends = any(f"/{folder.member}".endswith(f"/{ending}") for ending in uses.endings)
    return " makes a path to" if ends or folder.member in uses.folders else ""
