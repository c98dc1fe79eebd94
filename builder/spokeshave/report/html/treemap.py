"""The layout of a treemap: rectangles whose areas are exactly proportional to sizes.

Squarified after Bruls, Huizing and van Wijk, "Squarified treemaps" (2000): rows are filled along the shorter
side for as long as that makes their rectangles less elongated. No room is given to frames or headings, since
that would take area away from the leaves, which are to be compared across two maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Rect:
    """A rectangle with its upper left corner, in the drawing's units."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Width by height."""
        return self.width * self.height


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A tree with sizes (bytes, not negative); the size of an inner node is the sum of its children's."""

    name: str
    size: int
    kind: str = ""
    path: str = ""
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A node and its rectangle; `depth` 0 is the root."""

    node: Node
    rect: Rect
    depth: int


def layout(root: Node, rect: Rect) -> Iterator[Tile]:
    """The root and all nodes below it that have a size, parents before their children."""
    yield from _layout(root, rect, 0)


def _layout(node: Node, rect: Rect, depth: int) -> Iterator[Tile]:
    yield Tile(node=node, rect=rect, depth=depth)
    children = sorted((child for child in node.children if child.size), key=lambda c: (-c.size, c.name))
    for child, part in zip(children, squarify([c.size for c in children], rect), strict=True):
        yield from _layout(child, part, depth + 1)


def squarify(sizes: Sequence[float], rect: Rect) -> list[Rect]:
    """Fills the rectangle with one rectangle a size; sizes are positive and should fall."""
    rects: list[Rect] = []
    left, scale = rect, rect.area / sum(sizes) if sizes else 0.0
    areas = [size * scale for size in sizes]
    while len(rects) < len(areas):
        start = len(rects)
        side = min(left.width, left.height)
        end = start + 1
        while end < len(areas) and _worst(areas[start : end + 1], side) <= _worst(areas[start:end], side):
            end += 1
        row, left = _row(areas[start:end], left, last=end == len(areas))
        rects += row
    return rects


def _worst(areas: Sequence[float], side: float) -> float:
    """The largest ratio of long to short side among the rectangles of a row along `side`."""
    thickness = sum(areas) / side
    return max(max(area / thickness**2, thickness**2 / area) for area in areas)


def _row(areas: Sequence[float], rect: Rect, *, last: bool) -> tuple[list[Rect], Rect]:
    """The rectangles of a row along the shorter side, and the remaining rectangle."""
    upright = rect.width >= rect.height
    side, depth = (rect.height, rect.width) if upright else (rect.width, rect.height)
    # The last row takes what is left, so that rounding leaves no sliver.
    thickness = depth if last else sum(areas) / side
    row, offset = [], 0.0
    for area in areas:
        length = area / sum(areas) * side
        if upright:
            row.append(Rect(x=rect.x, y=rect.y + offset, width=thickness, height=length))
        else:
            row.append(Rect(x=rect.x + offset, y=rect.y, width=length, height=thickness))
        offset += length
    if upright:
        return row, Rect(x=rect.x + thickness, y=rect.y, width=rect.width - thickness, height=rect.height)
    return row, Rect(x=rect.x, y=rect.y + thickness, width=rect.width, height=rect.height - thickness)
