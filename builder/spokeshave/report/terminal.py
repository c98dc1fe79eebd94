"""The report on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from spokeshave.inside.levers import LEVERS
from spokeshave.inside.sizes import KINDS
from spokeshave.machine.listing import Column, Listing
from spokeshave.report.parts import BLAS, Part, Side, total
from spokeshave.report.summary import Report

Measure = tuple[str, Callable[[Side], int | None]]

_SUMS: tuple[Measure, ...] = (
    ("unpacked", lambda side: side.unpacked),
    ("with bytecode", lambda side: side.installed),
    ("wheel file", lambda side: side.wheel),
)
UNKNOWN = "?"


def columns() -> tuple[Measure, ...]:
    """The numbers of a row, each with its heading: kinds of file, then sums."""
    return (*(_kind(kind) for kind in KINDS), *_SUMS)


def _kind(kind: str) -> Measure:
    return kind, lambda side: side.kinds[kind]


def size_table(report: Report) -> Listing:
    """Sizes by package and kind of file, in MB (10^6 bytes): ours, PyPI's and their ratio."""
    rows: list[tuple[str, ...]] = []
    styles: list[str | None] = []
    ends: list[int] = []
    for part in (*(parts := report.parts()), total(parts)):
        for at, (side, cells) in enumerate(_lines(part, [measure for _, measure in columns()])):
            rows.append(("" if at else part.name, side, *cells))
            styles.append("dim" if side == "ratio" else "bold" if part.name == "total" else None)
        ends.append(len(rows) - 1)
    return Listing(
        title="Sizes, MB (10^6 bytes)",
        columns=[
            *(Column("", whole=True) for _ in range(2)),
            *(Column(heading, number=True) for heading, _ in columns()),
        ],
        rows=rows,
        labels=2,
        styles=styles,
        sections=frozenset(ends),
    )


def notes(rows: Sequence[Part]) -> list[str]:
    """The notes below the table of sizes."""
    found = ["unpacked: without bytecode; with bytecode: as pip installs it"]
    whole = total(rows)
    if any(side and side.bytecode is None for side in (whole.ours, whole.stock)):
        found[0] += f" ({UNKNOWN} not measured: needs the target's own Python)"
    if any(row.name == BLAS for row in rows):
        found.append(f"{BLAS}: OpenBLAS with its run-time: one copy in each PyPI wheel, one wheel of ours")
    return found


def _lines(part: Part, measures: Sequence[Callable[[Side], int | None]]) -> list[tuple[str, list[str]]]:
    ours, stock = _values(part.ours, measures), _values(part.stock, measures)
    lines = [("ours", [megabytes(size) for size in ours]), ("PyPI", [megabytes(size) for size in stock])]
    if part.ours and part.stock:
        lines.append(("ratio", [ratio(*pair) for pair in zip(ours, stock, strict=True)]))
    return lines


def _values(side: Side | None, measures: Iterable[Callable[[Side], int | None]]) -> list[int | None]:
    """The numbers of a side, zeros for one that has no such part."""
    return [measure(side) if side else 0 for measure in measures]


def megabytes(size: int | None) -> str:
    """Bytes in MB (10^6), for example `13.10`; `-` for nothing, `?` for what was not measured."""
    if size is None:
        return UNKNOWN
    return f"{size / 1e6:.2f}" if size else "-"


def ratio(ours: int | None, stock: int | None) -> str:
    """Ours by PyPI's, for example `0.46`; empty where there is nothing to compare."""
    return f"{ours / stock:.2f}" if stock and ours is not None else ""


def lever_table(report: Report) -> Listing:
    """The bytes that each lever and each component saved on each wheel, as far as they were measured."""
    summaries = {lever.name: lever.summary for lever in LEVERS}
    found: list[tuple[str, str, int | None, int, str]] = [
        (row.wheel, row.lever, row.saved, row.files, summaries[row.lever] + _bracketed(row.note))
        for row in report.levers
        if row.saved is not None
    ]
    found += [
        (row.wheel, f"without {row.component}", row.saved, row.files, row.reason) for row in report.components
    ]
    return Listing(
        title="Saved by each lever and component, bytes unpacked",
        columns=[
            *(Column("wheel", whole=True), Column("lever", whole=True)),
            *(Column("saved", number=True), Column("files", number=True), Column("what")),
        ],
        rows=[
            (wheel.replace("_", "-"), name, _saved(saved), f"{files:,}" if files else "", what)
            for wheel, name, saved, files, what in found
            if saved != 0 or files
        ],
    )


def _saved(size: int | None) -> str:
    return "not measured" if size is None else f"{size:,}"


def lever_notes(report: Report) -> list[str]:
    """The levers that the table omits, since the bytes that they save were not measured."""
    lacking: dict[str, list[str]] = {}
    for row in report.levers:
        if row.saved is None:
            lacking.setdefault(row.wheel.replace("_", "-"), []).append(row.lever)
    alike: dict[str, list[str]] = {}
    for wheel, levers in lacking.items():
        alike.setdefault(", ".join(levers), []).append(wheel)
    return [
        f"Not measured for {', '.join(wheels)}: {levers} (spokeshave ablate)"
        for levers, wheels in alike.items()
    ]


def _bracketed(note: str) -> str:
    return f" ({note})" if note else ""
