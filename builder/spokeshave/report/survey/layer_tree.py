"""The files of an image: its layers, put on each other with the whiteouts of the OCI image specification.

`.wh.NAME` hides NAME of the layers below, and `.wh..wh..opq` all that they have in its folder. Neither hides
anything of the same layer, whatever the order of the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Union

from spokeshave.report.survey.tar_layers import Entry
from spokeshave.sources.members import Kind

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_PRIVATE = ".wh..wh."  # what AUFS keeps for itself


@dataclass(eq=False, frozen=True, slots=True)
class Leaf:
    """A file or a link, by the layer (from 0) and its name there; hard links to a file share its object."""

    layer: int
    name: str
    size: int
    regular: bool


Folder = dict[str, Union["Folder", Leaf]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """The files that are visible, each hard-linked one once, by path; and the bytes of each layer."""

    files: dict[str, Leaf]
    sizes: tuple[int, ...]

    def hidden(self) -> tuple[int, ...]:
        """The bytes of each layer that layers above it hide."""
        seen = [0] * len(self.sizes)
        for leaf in self.files.values():
            seen[leaf.layer] += leaf.size
        return tuple(whole - part for whole, part in zip(self.sizes, seen, strict=True))


def merge(layers: Iterable[Iterable[Entry]]) -> Merged:
    """The files of layers, the lowest one first."""
    root: Folder = {}
    sizes = []
    for number, entries in enumerate(layers):
        added = []
        sizes.append(0)
        for entry in entries:
            sizes[-1] += entry.size
            if not _hide(root, entry.name):
                added.append(entry)
        for entry in added:
            _add(root, entry, number)
    seen: set[int] = set()
    files = {}
    for name, leaf in _walk(root):
        if leaf.regular and id(leaf) not in seen:
            files[name] = leaf
        seen.add(id(leaf))
    return Merged(files=files, sizes=tuple(sizes))


def _hide(root: Folder, name: str) -> bool:
    """Applies a whiteout; False for an entry that is none.

    The whiteouts of a layer are applied while it is read, its files afterwards: they hide lower layers alone.
    """
    folder, _, last = name.rpartition("/")
    if not last.startswith(_WHITEOUT):
        return False
    inside = _folder(root, folder)
    if inside is not None and last == _OPAQUE:
        inside.clear()
    elif inside is not None and not last.startswith(_PRIVATE):
        inside.pop(last.removeprefix(_WHITEOUT), None)
    return True


def _folder(root: Folder, name: str) -> Folder | None:
    """The folder of a path; None where there is none."""
    at = root
    for part in name.split("/") if name else ():
        below = at.get(part)
        if not isinstance(below, dict):
            return None
        at = below
    return at


def _add(root: Folder, entry: Entry, layer: int) -> None:
    """Puts an entry into the tree; a file replaces a folder with all in it, and a folder a file."""
    if not entry.name:
        return
    leaf = _leaf(root, entry, layer)
    *folders, last = entry.name.split("/")
    at = root
    for part in folders:
        below = at.get(part)
        if not isinstance(below, dict):
            below = at[part] = {}
        at = below
    if leaf is not None:
        at[last] = leaf
    elif not isinstance(at.get(last), dict):
        at[last] = {}


def _leaf(root: Folder, entry: Entry, layer: int) -> Leaf | None:
    """The file of an entry, which for a hard link is its target's; None for a folder."""
    if entry.kind is Kind.FOLDER:
        return None
    if entry.kind is Kind.HARDLINK:
        folder, _, last = entry.target.rpartition("/")
        target = (_folder(root, folder) or {}).get(last)
        if isinstance(target, Leaf):
            return target
    return Leaf(layer, entry.name, entry.size, entry.kind is Kind.FILE)


def _walk(root: Folder) -> Iterator[tuple[str, Leaf]]:
    """All files with their paths, sorted; without recursion, since an image may nest folders deeply."""
    left: list[tuple[str, Folder | Leaf]] = [("", root)]
    while left:
        name, node = left.pop()
        if isinstance(node, Leaf):
            yield name, node
        else:
            prefix = f"{name}/" if name else ""
            left += [(prefix + part, node[part]) for part in sorted(node, reverse=True)]
