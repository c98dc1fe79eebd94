"""Checks that a table is whole at a width: each word and number of its cells is printed unbroken."""

from __future__ import annotations

import io
from collections import Counter

from rich.console import Console, RenderableType
from rich.text import Text

from spokeshave.machine.listing import Listing, show


def printed(*things: RenderableType, width: int) -> str:
    """What a pipe gets of this width."""
    console = Console(file=io.StringIO(), width=width)
    show(console, *things)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def assert_whole(listing: Listing, *, width: int) -> None:
    """Every word of the cells is there as often as in them, and no line of several words is too long."""
    lines = [line.rstrip() for line in printed(listing, width=width).splitlines()]
    found = Counter(word.rstrip(",") for line in lines for word in line.split())
    wanted = Counter(
        word.rstrip(",") for row in listing.rows for cell in row for word in _plain(cell).split()
    )
    missing = wanted - found
    assert not missing, f"broken, cut or left out at {width} columns: {dict(missing)}\n" + "\n".join(lines)
    assert not any("\N{HORIZONTAL ELLIPSIS}" in line for line in lines)
    if all(len(word) < width for word in wanted):
        headings = [word.rstrip(",") for column in listing.columns for word in column.heading.split()]
        assert set(headings) <= {*found} or not listing.rows or _in_blocks(lines), headings
    long = [line for line in lines if len(line) > width and len(line.split()) > 2]
    assert not long, long


def _in_blocks(lines: list[str]) -> bool:
    """Whether the headings of texts are not printed: the last form of a table has none."""
    return not any("\N{BOX DRAWINGS LIGHT HORIZONTAL}" in line for line in lines)


def _plain(cell: str | Text) -> str:
    return cell.plain if isinstance(cell, Text) else cell
