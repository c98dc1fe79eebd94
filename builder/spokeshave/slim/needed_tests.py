"""Test modules that other modules of a wheel import: they are put back, with the folder that they are in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from spokeshave.inside.levers.lever import Tree
from spokeshave.removal.readers.reader import covers
from spokeshave.slim.wheel_layout import TEST_FOLDERS, module_of, sources


@dataclass(frozen=True, kw_only=True, slots=True)
class Needed:
    """A file or test folder that was put back: its name, its bytes and files, and who imports it."""

    name: str
    reason: str
    size: int
    files: int


def put_back_needed(tree: Tree) -> tuple[Needed, ...]:
    """Puts back what kept modules import, until they import none of the moved modules."""
    back: list[Needed] = []
    while True:
        named = {
            ref.name: f"{source.member}:{ref.line} imports {ref.name}"
            for source in sources(tree.root)
            for ref in source.references or ()
        }
        wanted = dict(_wanted(tree, named))
        if not wanted:
            return tuple(back)
        back += [_put_back(tree, place, why) for place, why in sorted(wanted.items())]


def _wanted(tree: Tree, named: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The moved files and folders that one of the names is, or is in."""
    for path in sorted(path for path in tree.tests.rglob("*") if path.is_file()):
        member = path.relative_to(tree.tests).as_posix()
        module = module_of(member)
        why = next((why for ref, why in named.items() if module and covers(module, ref)), "")
        if why:
            yield _place(member), why


def _place(member: str) -> str:
    """The outermost test folder that a file is in, or the file itself."""
    path = PurePosixPath(member)
    folders = [folder for folder in reversed(path.parents) if folder.name in TEST_FOLDERS]
    return str(folders[0]) if folders else member


def _put_back(tree: Tree, place: str, why: str) -> Needed:
    start = tree.tests / place
    found = [start] if start.is_file() else [path for path in start.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in found)
    for path in found:
        target = tree.root / path.relative_to(tree.tests)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    return Needed(name=place, reason=why, size=size, files=len(found))
