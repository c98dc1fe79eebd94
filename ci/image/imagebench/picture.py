"""Both images as a picture: the parts of each on one scale, and below them memory and start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from imagebench.service import Spread
from imagebench.tables import FIGURES, OURS, STOCK, TITLES, Comparison, Side, figure, sizes
from imagebench.wheels import BUILT
from spokeshave.api import SvgChild as Child
from spokeshave.api import svg_element as el
from spokeshave.api import svg_file

_WIDTH, _MARGIN, _LEFT = 1000.0, 28.0, 88.0
_ROOM = _WIDTH - _LEFT - _MARGIN - 96  # for the longest bar; its sum is to the right of it
_BAR, _ROW, _CHARACTER = 46.0, 21.0, 7.6
_BASE, _PANDOC, _OTHERS, _REST = "Debian and Python", "pandoc", "other packages", "the service, its venv"
_PACKAGES = (*BUILT, "slim-openblas")
_COLOURS = {
    _BASE: "#a9a398",
    _PANDOC: "#c9c3b8",
    **dict(zip(_PACKAGES, ("#2f74b5", "#4a86c5", "#3d8f6b", "#d08a2c", "#8d6ab8"), strict=True)),
    _OTHERS: "#b3432b",
    _REST: "#6b655c",
}
_PALE = (_BASE, _PANDOC)  # names are dark on these
_SIDES = {STOCK: "#8a857c", OURS: "#2f74b5"}
_SHOWN = ("resident at the first answer, MB", "resident after work, MB", "start to healthy, s")
_STYLE = (
    'text{font:13px system-ui,"DejaVu Sans",sans-serif;fill:#1c1b19}.title{font-size:17px;font-weight:600}'
    ".soft{fill:#5c5851}.end{text-anchor:end}.middle{text-anchor:middle}.on{fill:#fff}.sum{font-weight:600}"
    ".axis{stroke:#1c1b19}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of both images; bytes."""

    name: str
    colour: str
    stock: int
    ours: int

    def of(self, side: str) -> int:
        return self.ours if side == OURS else self.stock


def parts(found: Comparison) -> tuple[Part, ...]:
    """The parts of the images, which add up to them; a PyPI package contains its BLAS."""
    stock, ours = _sizes(found, found.stock), _sizes(found, found.ours)
    return tuple(
        Part(name=name, colour=colour, stock=stock[name], ours=ours[name])
        for name, colour in _COLOURS.items()
    )


def _sizes(found: Comparison, side: Side) -> dict[str, int]:
    known = {name: side.packages.get(name, 0) for name in _PACKAGES}
    above = side.weight.total - found.base.total
    others = sum(side.packages.values()) - sum(known.values())
    return {
        _BASE: found.base.total - found.pandoc,
        _PANDOC: found.pandoc,
        **known,
        _OTHERS: others,
        _REST: above - sum(side.packages.values()),
    }


def image_picture(found: Comparison) -> str:
    """One SVG in a single file."""
    shown = parts(found)
    ours, stock = sizes(found)["image"]
    title = (
        f"One image twice: {stock / 1e6:.0f} MB with PyPI wheels,"
        f" {ours / 1e6:.0f} MB with profile {found.profile} ({ours / stock:.2f})"
    )
    drawn: list[Child] = [el("text", title, x=_MARGIN, y=34, class_="title")]
    for at, side in enumerate(_SIDES):
        drawn.append(
            el("g", *_stacked(shown, side, stock), transform=f"translate(0 {54 + at * (_BAR + 12):.0f})")
        )
    top = 54 + 2 * (_BAR + 12) + 22
    drawn.append(el("g", *_legend(shown), transform=f"translate(0 {top:.0f})"))
    drawn.append(el("g", *_work(found), transform=f"translate({_WIDTH / 2 + 20:.0f} {top:.0f})"))
    height = top + (len(shown) + 1) * _ROW + 14
    return svg_file(*drawn, width=_WIDTH, height=height, style=_STYLE, label=title, title=el("title", title))


def _stacked(shown: Sequence[Part], side: str, longest: int) -> list[Child]:
    """A bar of all parts; a name is written if there is room for it, and all are in the legend."""
    drawn: list[Child] = [el("text", TITLES[side], x=_LEFT - 10, y=_BAR / 2 + 5, class_="end sum")]
    x = _LEFT
    for part in shown:
        width = _ROOM * part.of(side) / longest
        title = f"{part.name}: {part.of(side) / 1e6:.1f} MB"
        box = el("rect", el("title", title), x=x, y=0, width=width, height=_BAR, fill=part.colour)
        box.set("data-part", part.name)
        drawn.append(box)
        if len(part.name) * _CHARACTER < width:
            style = "middle" if part.name in _PALE else "middle on"
            drawn.append(el("text", part.name, x=x + width / 2, y=_BAR / 2 + 5, class_=style))
        x += width
    total = sum(part.of(side) for part in shown)
    drawn.append(el("text", f"{total / 1e6:.1f} MB", x=x + 10, y=_BAR / 2 + 5, class_="sum"))
    return drawn


def _legend(shown: Sequence[Part]) -> list[Child]:
    columns = (_MARGIN + 250, _MARGIN + 330, _MARGIN + 400)
    heads = ("PyPI, MB", "ours, MB", "ratio")
    drawn: list[Child] = [
        el("text", head, x=x, y=0, class_="end soft") for head, x in zip(heads, columns, strict=True)
    ]
    for at, part in enumerate(shown, 1):
        y = at * _ROW
        drawn.append(el("rect", x=_MARGIN, y=y - 11, width=12, height=12, fill=part.colour))
        drawn.append(el("text", part.name, x=_MARGIN + 20, y=y))
        ratio = f"{part.ours / part.stock:.2f}" if part.stock else ""
        cells = (f"{part.stock / 1e6:.1f}", f"{part.ours / 1e6:.1f}", ratio)
        drawn += [el("text", cell, x=x, y=y, class_="end") for cell, x in zip(cells, columns, strict=True)]
    return drawn


def _work(found: Comparison) -> list[Child]:
    """Memory and start: medians as bars, the least and the greatest as a line across their ends."""
    drawn: list[Child] = [
        el("text", f"medians of {len(found.ours.starts)} starts, interleaved", class_="soft")
    ]
    y = 10.0
    for name in _SHOWN:
        drawn.append(el("text", name, y=y + 14))
        values = {side: figure(found.sides[side], name) for side in _SIDES}
        most = max(value.high for value in values.values())
        for side, value in values.items():
            y += 20
            drawn += _bar(side, y, value, most, FIGURES[name][1].format(value.mid))
        y += 26
    return drawn


def _bar(side: str, y: float, value: Spread, most: float, text: str) -> list[Element]:
    mid, low, high = (300 * length / most for length in (value.mid, value.low, value.high))
    return [
        el("text", TITLES[side], x=36, y=y + 12, class_="end soft"),
        el("rect", x=44, y=y, width=mid, height=15, fill=_SIDES[side]),
        el("line", x1=44 + low, x2=44 + high, y1=y + 7.5, y2=y + 7.5, class_="axis"),
        el("text", text, x=44 + high + 8, y=y + 12),
    ]
