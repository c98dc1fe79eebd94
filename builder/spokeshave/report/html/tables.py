"""The tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.etree.ElementTree import Element

from spokeshave.inside.levers import LEVERS
from spokeshave.inside.sizes import Sizes, kind_of
from spokeshave.report.html.markup import Child, data_table, el, scrolling
from spokeshave.report.parts import Part, SideName, total
from spokeshave.report.summary import Report
from spokeshave.report.terminal import columns, megabytes, notes, ratio

_LARGEST = 25
_TITLES: Mapping[SideName, str] = {"ours": "ours", "stock": "PyPI"}


def size_table(rows: Sequence[Part]) -> Element:
    """By package and kind of file: ours, PyPI and their ratio, one below the other, in MB."""
    head = el(
        "tr",
        el("th", "package", scope="col", class_="text"),
        el("th", "MB", scope="col", class_="text"),
        *(el("th", heading, scope="col") for heading, _ in columns()),
    )
    bodies = [_part(row) for row in (*rows, total(rows))]
    table = el("table", el("thead", head), *bodies, class_="sizes")
    return el("div", scrolling(table, "sizes"), *(el("p", note, class_="note") for note in notes(rows)))


def _part(part: Part) -> Element:
    sides: tuple[SideName, ...] = ("ours", "stock")
    known = {name: side for name in sides if (side := part.side(name))}
    sizes = {name: [measure(side) for _, measure in columns()] for name, side in known.items()}
    lines: list[tuple[str, list[str]]] = [
        (_TITLES[name], [megabytes(size) for size in row]) for name, row in sizes.items()
    ]
    if len(sizes) == 2:
        pairs = zip(sizes["ours"], sizes["stock"], strict=True)
        lines.append(("ours / PyPI", [ratio(*pair) for pair in pairs]))
    made = []
    for at, (label, cells) in enumerate(lines):
        title = el("th", part.name, scope="rowgroup", rowspan=str(len(lines)), class_="text")
        row = el("th", label, scope="row", class_="text")
        made.append(el("tr", None if at else title, row, *(el("td", cell) for cell in cells)))
    return el("tbody", *made, class_="total" if part.name == "total" else None)


def saved_table(report: Report) -> Element:
    """Levers and components by wheel, in MB."""
    wheels = list(dict.fromkeys(row.wheel for row in report.levers))
    summaries = {lever.name: lever.summary for lever in LEVERS}
    found: dict[tuple[str, str], dict[str, int | None]] = {}
    for lever in report.levers:
        found.setdefault((lever.lever, summaries[lever.lever]), {})[lever.wheel] = lever.saved
    for part in report.components:
        found.setdefault((f"without {part.component}", part.reason), {})[part.wheel] = part.saved
    rows: list[list[Child]] = []
    for (name, what), saved in found.items():
        label = el("span", name, el("small", what))
        known = [size for size in saved.values() if size is not None]
        whole = _saved(sum(known)) if known else el("small", "not measured")
        rows.append([label, *(_saved(saved.get(wheel, 0)) for wheel in wheels), whole])
    headings = ["MB unpacked", *(wheel.replace("_", "-") for wheel in wheels), "total"]
    return data_table(headings, rows, label="bytes saved")


def _saved(size: int | None) -> Child:
    if size is None:
        return el("small", "not measured")
    small = 0 < size < 5_000
    return el("span", "<0.01" if small else megabytes(size), title=f"{size:,} bytes")


def verdicts(verified: Mapping[str, str]) -> Element:
    """The verification result of each wheel, in words and with a sign."""
    rows = []
    for wheel, verdict in verified.items():
        good = verdict.startswith("verified")
        sign = el("span", "✓" if good else "!", class_="good" if good else "bad", aria_hidden="true")
        rows.append(el("li", sign, el("code", wheel), " ", el("span", verdict)))
    return el("ul", *rows, class_="verdicts")


def files_table(report: Report) -> Element:
    """The largest files of both stacks, by name inside the wheels."""
    ours, stock = _files(report.ours), _files(report.stock)
    names = sorted({*ours, *stock}, key=lambda name: -max(ours.get(name, 0), stock.get(name, 0)))
    rows: Iterable[list[Child]] = (
        [el("code", name), kind_of(name), megabytes(stock.get(name, 0)), megabytes(ours.get(name, 0))]
        for name in names[:_LARGEST]
    )
    return data_table(["file", "kind", "PyPI, MB", "ours, MB"], rows, label="largest files", text_columns=2)


def _files(wheels: Iterable[Sizes]) -> dict[str, int]:
    return {file.name: file.size for wheel in wheels for file in wheel.files}
