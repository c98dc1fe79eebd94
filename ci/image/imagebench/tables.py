"""The comparison of both images: as tables, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.table import Table

from imagebench.layers import ImageSize, Layer
from imagebench.service import Counts, Spread, Start, spread
from spokeshave.api import VerifyError

OURS, STOCK = "ours", "stock"
TITLES = {OURS: "ours", STOCK: "PyPI"}  # as texts name the sides
_MADE_BY = 46


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One image: its size, its packages in bytes, the results of the service's tests in it, its starts."""

    image: str
    weight: ImageSize
    packages: Mapping[str, int]
    tests: Counts
    starts: tuple[Start, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Both images on one base; sizes in bytes.

    `others` are the packages without a recipe, unpacked without bytecode: as slim wheels and as PyPI wheels.
    """

    profile: str
    ours: Side
    stock: Side
    base: ImageSize
    pandoc: int
    others: tuple[int, int]

    @property
    def sides(self) -> Mapping[str, Side]:
        return {OURS: self.ours, STOCK: self.stock}


def sizes(found: Comparison) -> dict[str, tuple[int, int]]:
    """The sizes, ours and PyPI: the images, without pandoc, without the base, the slimmed packages."""
    ours, stock = found.ours.weight.total, found.stock.weight.total
    return {
        "image": (ours, stock),
        "image without pandoc's executable": (ours - found.pandoc, stock - found.pandoc),
        "above the base": (ours - found.base.total, stock - found.base.total),
        "packages without a recipe, unpacked": found.others,
    }


FIGURES: dict[str, tuple[Callable[[Start], float], str]] = {
    "start to healthy, s": (lambda start: start.seconds, "{:.2f}"),
    "resident at the first answer, MB": (lambda start: start.idle_rss / 1e6, "{:.1f}"),
    "its proportional share, MB": (lambda start: start.idle_pss / 1e6, "{:.1f}"),
    "resident after work, MB": (lambda start: start.worked_rss / 1e6, "{:.1f}"),
    "its proportional share after work, MB": (lambda start: start.worked_pss / 1e6, "{:.1f}"),
}


def figure(side: Side, name: str) -> Spread:
    """One of FIGURES over the starts of an image."""
    read, _ = FIGURES[name]
    return spread([read(start) for start in side.starts])


def size_table(found: Comparison) -> Table:
    """Sizes and their ratios."""
    table = Table("MB (10^6 bytes)", *TITLES.values(), "ratio")
    for name, (ours, stock) in sizes(found).items():
        table.add_row(name, f"{ours / 1e6:.1f}", f"{stock / 1e6:.1f}", f"{ours / stock:.3f}")
    table.add_row("base, in both", f"{found.base.total / 1e6:.1f}", f"{found.base.total / 1e6:.1f}", "")
    return table


def layer_table(found: Comparison) -> Table:
    """Layer by layer; both images come from one Dockerfile, so that their layers are in one order."""
    table = Table("made by", *(f"{title}, MB" for title in TITLES.values()))
    empty = Layer(made_by="", size=0)
    rows = zip_longest(found.ours.weight.layers, found.stock.weight.layers, fillvalue=empty)
    for ours, stock in rows:
        made_by = ours.made_by or stock.made_by
        text = made_by if len(made_by) <= _MADE_BY else made_by[: _MADE_BY - 1] + "…"
        table.add_row(text, f"{ours.size / 1e6:.1f}", f"{stock.size / 1e6:.1f}")
    return table


def work_table(found: Comparison) -> Table:
    """Tests, start and memory: medians, and in brackets the least and the greatest."""
    runs = len(found.ours.starts)
    table = Table(f"in a container, {runs} starts, interleaved", *TITLES.values(), "ratio")
    for name in ("passed", "failed", "skipped"):
        counts = (str(getattr(side.tests, name)) for side in found.sides.values())
        table.add_row(f"tests {name}", *counts, "")
    for name, (_, form) in FIGURES.items():
        ours, stock = (figure(side, name) for side in found.sides.values())
        cells = (
            f"{form.format(one.mid)} ({form.format(one.low)}-{form.format(one.high)})"
            for one in (ours, stock)
        )
        table.add_row(name, *cells, f"{ours.mid / stock.mid:.3f}")
    return table


def to_json(found: Comparison) -> dict[str, Any]:
    """All results, with the ratios."""
    ratios = {name: ours / stock for name, (ours, stock) in sizes(found).items()}
    for name in FIGURES:
        ratios[name] = figure(found.ours, name).mid / figure(found.stock, name).mid
    return {**asdict(found), "ratios": ratios}


def from_json(path: Path) -> Comparison:
    """The results in a file that --json wrote; raises VerifyError for any other file."""
    try:
        data = json.loads(path.read_bytes())
        del data["ratios"]
        return TypeAdapter(Comparison).validate_python(data)
    except (OSError, KeyError, TypeError, ValueError) as fault:
        raise VerifyError(
            f"{path} is not a file of `ci/image/compare --json`: {fault}",
            next_step="run it again, with --json > FILE",
        ) from fault
