"""Treemaps as SVG: the PyPI wheels and ours on one scale, so that equal areas are equal bytes in both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from spokeshave.inside.sizes import KINDS
from spokeshave.report.html.markup import el, svg
from spokeshave.report.html.treemap import Node, Rect, Tile, layout

_FONT = 11.0
_CHARACTER = 0.6 * _FONT  # a generous mean width, for text must never cross its tile's edge
_LINE = 13.0
_PAD = 4.0
_CHIP = 18.0
_SHORTEST = 5  # a name cut to fewer characters is not readable


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """The room for both treemaps: their whole width, side by side or not, and height by width of each."""

    width: float
    gap: float
    aspect: float
    side_by_side: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Chip:
    """The heading of a part, drawn over its tiles."""

    text: str
    rect: Rect


WIDE = Sheet(width=1160, gap=28, aspect=0.82, side_by_side=True)
NARROW = Sheet(width=360, gap=0, aspect=1.1, side_by_side=False)


def kind_class(kind: str) -> str:
    """The style class of a kind of file."""
    return f"kind-{KINDS.index(kind)}"


def widths(sizes: Sequence[int], sheet: Sheet) -> list[float]:
    """Widths for maps of equal proportions, such that the areas are as the sizes."""
    sides = [math.sqrt(size) for size in sizes]
    room = sheet.width - sheet.gap * (len(sizes) - 1)
    whole = sum(sides) if sheet.side_by_side else max(sides)
    return [room * side / whole for side in sides]


def treemap(root: Node, width: float, height: float) -> Element:
    """The drawing of one stack."""
    tiles = list(layout(root, Rect(x=0, y=0, width=width, height=height)))
    tops = [tile for tile in tiles if tile.depth == 1]
    chips = [chip for tile in tops if (chip := _chip_of(tile))]
    parts = "; ".join(f"{tile.node.name} {_mb(tile.node.size)}" for tile in tops)
    return svg(
        *(_leaf(tile, root, [chip.rect for chip in chips]) for tile in tiles if not tile.node.children),
        *(_outline(tile) for tile in tiles if tile.node.children and tile.depth),
        *(_chip(chip) for chip in chips),
        width=width,
        height=height,
        class_="treemap",
        role="img",
        aria_label=f"Treemap of {root.name}, {_mb(root.size)} unpacked: {parts}",
    )


def _leaf(tile: Tile, root: Node, chips: Iterable[Rect]) -> Element:
    node, rect = tile.node, tile.rect
    share = f"{_mb(node.size)}, {node.size / root.size:.1%} of {root.name}"
    drawn = el(
        "g",
        el("title", f"{node.path or node.name}\n{share}\n{node.kind}"),
        _box(rect, class_=kind_class(node.kind)),
        *_label(node, rect, chips),
        class_="leaf",
    )
    drawn.set("data-name", node.path)
    return drawn


def _label(node: Node, rect: Rect, chips: Iterable[Rect]) -> list[Element]:
    """The tile's name, cut where it must be, and its size, as far as there is room."""
    top = max([rect.y, *(chip.y + chip.height for chip in chips if _overlap(chip, rect))])
    lines = int((rect.y + rect.height - top - _PAD) / _LINE)
    room = int((rect.width - 2 * _PAD) / _CHARACTER)
    name = _shortened(node.name)
    if len(name) > room:
        name = name[: room - 1] + "…" if room > _SHORTEST else ""
    if not name or lines < 1:
        return []
    size = _mb(node.size)
    texts = [name, size] if lines > 1 and len(size) <= room else [name]
    x, y = rect.x + _PAD, top + _PAD + _FONT - 2
    return [el("text", text, x=x, y=y + at * _LINE) for at, text in enumerate(texts)]


def _shortened(name: str) -> str:
    """An ext module's name without the interpreter's and the platform's."""
    return name.partition(".cpython-")[0] if ".cpython-" in name else name


def _chip_of(tile: Tile) -> Chip | None:
    """A part's name, with its size where there is room, in its upper left corner; none if it is too small."""
    for text in (f"{tile.node.name} {_mb(tile.node.size)}", tile.node.name):
        width = (len(text) + 1) * _CHARACTER * 1.12  # bold and a point larger
        if width <= tile.rect.width and tile.rect.height >= 1.5 * _CHIP:
            return Chip(text=text, rect=Rect(x=tile.rect.x, y=tile.rect.y, width=width, height=_CHIP))
    return None


def _chip(chip: Chip) -> Element:
    place = chip.rect
    text = el("text", chip.text, x=place.x + _PAD, y=place.y + _CHIP - 5)
    return el("g", _box(place), text, class_="chip")


def _outline(tile: Tile) -> Element:
    return _box(tile.rect, class_="part" if tile.depth == 1 else "folder")


def _box(rect: Rect, class_: str | None = None) -> Element:
    return el("rect", x=rect.x, y=rect.y, width=rect.width, height=rect.height, class_=class_)


def _overlap(one: Rect, other: Rect) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def _mb(size: int) -> str:
    return f"{size / 1e6:.2f} MB"


def patterns() -> Element:
    """The fills of the kinds: a colour and a pattern each, so that colour is not the only sign."""
    strokes = (
        "M0 8L8 0M-2 2L2 -2M6 10L10 6",  # tests
        "M0 4H8",  # bundled libraries
        "",  # ext modules
        "M2 4h.01M6 8h.01",  # Python
        "M4 0V8",  # type stubs
        "M0 0L8 8M-2 6L2 10M6 -2L10 2",  # headers, sources
        "M0 4H8M4 0V8",  # other
    )
    made = [
        _pattern(
            kind_class(kind),
            el("rect", width=8, height=8, class_="fill"),
            el("path", d=stroke) if stroke else None,
        )
        for kind, stroke in zip(KINDS, strokes, strict=True)
    ]
    return el("svg", el("defs", *made), width=0, height=0, class_="patterns", aria_hidden="true")


def _pattern(name: str, *children: Element | None) -> Element:
    made = el("pattern", *children, id=name, width=8, height=8)
    made.set("patternUnits", "userSpaceOnUse")
    return made
