"""A part of an unpacked wheel, for levers that act on whole trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spokeshave.inside.levers.lever import Tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Part(Tree):
    """An unpacked wheel without some of its files, by their names in the wheel.

    A lever looks up each file once, however many are hidden; globs for as many would each be tried.
    """

    hidden: frozenset[str]

    def files(self) -> Iterator[Path]:
        """All regular files that are not hidden, sorted."""
        return (
            path
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and self.name(path) not in self.hidden
        )


def part_of(tree: Tree, hidden: frozenset[str]) -> Tree:
    """The tree without these files."""
    return Part(root=tree.root, tests=tree.tests, hidden=hidden) if hidden else tree
