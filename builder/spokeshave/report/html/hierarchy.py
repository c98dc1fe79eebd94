"""The files of a stack as a tree for the treemap: part, folder, large files and heaps of small ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from spokeshave.inside.sizes import KINDS, Sizes, kind_of
from spokeshave.report.html.treemap import Node
from spokeshave.report.parts import part_of

File = tuple[str, int]  # the name inside the wheel, and bytes


def stack_tree(name: str, wheels: Sequence[Sizes], smallest: int, blas: str) -> Node:
    """The tree of all wheels; files below `smallest` bytes are heaped by kind.

    `blas` is the distribution that provides the BLAS.
    """
    found: dict[str, list[File]] = defaultdict(list)
    for wheel in wheels:
        for file in wheel.files:
            found[part_of(wheel, file.name, blas)].append((file.name, file.size))
    return _node(name, [_part(part, files, smallest) for part, files in found.items()])


def folder_of(file: str) -> str:
    """The subpackage of a file, for example `numpy/linalg`; files of the package itself belong to `numpy`."""
    first, *others = file.split("/")
    if first.endswith((".libs", ".dist-info")):
        return first.rpartition(".")[2]
    return "/".join([first, *others[:1]]) if len(others) > 1 else first


def _part(name: str, files: Sequence[File], smallest: int) -> Node:
    folders: dict[str, list[File]] = defaultdict(list)
    for file in files:
        folders[folder_of(file[0])].append(file)
    large = {folder: its for folder, its in folders.items() if _sum(its) >= smallest}
    small = [file for folder, its in folders.items() if folder not in large for file in its]
    nodes = [_node(folder, _leaves(folder, its, smallest)) for folder, its in large.items()]
    return _node(name, [*nodes, *_heaps("elsewhere", name, small)])


def _leaves(folder: str, files: Sequence[File], smallest: int) -> list[Node]:
    large = [(file, size) for file, size in files if size >= smallest]
    small = [(file, size) for file, size in files if size < smallest]
    single = [
        Node(name=file.rpartition("/")[2], size=size, kind=kind_of(file), path=file) for file, size in large
    ]
    return [*single, *_heaps(folder.rpartition("/")[2], folder, small)]


def _heaps(label: str, path: str, files: Sequence[File]) -> list[Node]:
    nodes = []
    for kind in KINDS:
        same = [file for file in files if kind_of(file[0]) == kind]
        if _sum(same):
            count = f"{len(same):,} smaller files" if len(same) > 1 else "1 smaller file"
            where = f"{path}, {label}" if label == "elsewhere" else path
            nodes.append(
                Node(
                    name=label if label == kind else f"{label}: {kind}",
                    size=_sum(same),
                    kind=kind,
                    path=f"{where}: {count}",
                )
            )
    return nodes


def _node(name: str, children: Sequence[Node]) -> Node:
    return Node(name=name, size=sum(child.size for child in children), children=tuple(children))


def _sum(files: Iterable[File]) -> int:
    return sum(size for _, size in files)
