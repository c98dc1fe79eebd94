"""Files with the same content as another file, of which the loader only ever asks for one.

A wheel has no links, so that a library whose project links `libx.so` to `libx.so.1` carries it once for each
name. The loader looks for the name in DT_SONAME; other names are for compilers, or for who gives them to
dlopen. Such a copy is removed if nothing in the wheel has its name in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from elftools.common.exceptions import ELFError

from spokeshave.build.elf import read_elf
from spokeshave.inside.levers.lever import Shaved, Tree, is_elf
from spokeshave.slim.model import Left
from spokeshave.slim.wheel_layout import Source, module_of

_LARGE = 65_536  # bytes; smaller copies are not worth a note
_SPARED = (".dist-info/",)


def remove_duplicates(
    tree: Tree, files: list[Path], modules: Iterable[Source]
) -> tuple[Shaved, tuple[Left, ...]]:
    """Removes copies of libraries; says which other large files are there more than once.

    `files` are those that may be removed, and `modules` the Python files that may name one.
    """
    groups = [group for group in _alike(tree, files) if len(group) > 1]
    texts = [source.text for source in modules] if any(_libraries(group) for group in groups) else []
    needed = set(_needed(tree)) if texts else set()
    saved = removed = 0
    left = []
    for group in groups:
        for path in _spare_copies(tree, group):
            if path.name in needed or any(path.name in text for text in texts):
                continue
            saved, removed = saved + path.stat().st_size, removed + 1
            path.unlink()
        stay = [path for path in group if path.exists()]
        size = stay[0].stat().st_size * (len(stay) - 1)
        if size >= _LARGE:
            name = tree.name(stay[0])
            left.append(
                Left(
                    name=tree.name(stay[1]),
                    reason="duplicates are kept, as something may read each of them",
                    detail=f"as {name}",
                    size=size,
                )
            )
    return Shaved(saved=saved, files=removed), tuple(left)


def _alike(tree: Tree, files: list[Path]) -> Iterator[list[Path]]:
    """Groups of files with the same content."""
    sizes: dict[int, list[Path]] = {}
    for path in files:
        if (size := path.stat().st_size) and not any(part in tree.name(path) for part in _SPARED):
            sizes.setdefault(size, []).append(path)
    for same_size in (group for group in sizes.values() if len(group) > 1):
        groups: dict[bytes, list[Path]] = {}
        for path in same_size:
            groups.setdefault(hashlib.sha256(path.read_bytes()).digest(), []).append(path)
        yield from groups.values()


def _libraries(group: list[Path]) -> bool:
    return ".so" in group[0].name and is_elf(group[0])


def _spare_copies(tree: Tree, group: list[Path]) -> Iterator[Path]:
    """The copies of a library in the folder of the one that has the name in DT_SONAME."""
    if not _libraries(group):
        return
    try:
        soname = read_elf(group[0].name, group[0].read_bytes()).soname
    except (ELFError, ValueError, KeyError):
        return
    for one in group:
        if soname and one.name == soname and not module_of(tree.name(one)):
            yield from (path for path in group if path.parent == one.parent and path != one)


def _needed(tree: Tree) -> Iterator[str]:
    """The names that libraries and ext modules of the wheel ask the loader for."""
    for path in tree.files():
        if ".so" in path.name and is_elf(path):
            try:
                yield from read_elf(path.name, path.read_bytes()).needed
            except (ELFError, ValueError, KeyError):
                continue
