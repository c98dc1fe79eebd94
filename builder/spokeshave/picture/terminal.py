"""The report on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.box import SIMPLE
from rich.table import Table

from spokeshave.levers import LEVERS
from spokeshave.parts import BLAS, Part, Side, total
from spokeshave.report import Report
from spokeshave.weigh import KINDS

Column = tuple[str, Callable[[Side], int | None]]

_UNPACKED: Column = ("unpacked", lambda side: side.unpacked)
_REST: tuple[Column, ...] = (
    ("with bytecode", lambda side: side.installed),
    ("wheel file", lambda side: side.wheel),
)
UNKNOWN = "?"
_WIDE = 108  # columns of text that the one table with everything needs


def columns() -> tuple[Column, ...]:
    """The numbers of a row, each with its heading: kinds of file, then sums."""
    return (*(_kind(kind) for kind in KINDS), _UNPACKED, *_REST)


def _kind(kind: str) -> Column:
    return kind, lambda side: side.kinds[kind]


def size_tables(report: Report, width: int) -> list[Table]:
    """By package and kind of file: ours over stock, in MB (10^6 bytes).

    One table where `width` columns of text can hold it, two narrow ones elsewhere.
    """
    rows = report.parts()
    everything = columns()
    if width >= _WIDE:
        return [_sizes(rows, "Sizes, MB (10^6 bytes)", everything)]
    unpacked = everything[: -len(_REST)]
    return [
        _sizes(rows, "Unpacked, MB (10^6 bytes), without bytecode", unpacked, headed=True),
        _sizes(rows, "Sums, MB (10^6 bytes)", everything[-len(_REST) - 1 :], headed=True),
    ]


def notes(rows: Sequence[Part]) -> list[str]:
    """What a reader of the sizes must know."""
    found = ["unpacked: without bytecode; with bytecode: as pip installs it"]
    whole = total(rows)
    if any(side and side.bytecode is None for side in (whole.ours, whole.stock)):
        found[0] += f" ({UNKNOWN} not measured: needs the target's own Python)"
    if any(row.name == BLAS for row in rows):
        found.append(f"{BLAS}: OpenBLAS with its run-time: a copy in each stock wheel, one wheel of ours")
    return found


def _sizes(rows: Sequence[Part], title: str, shown: Sequence[Column], *, headed: bool = False) -> Table:
    """A table with the parts' names in a column, or `headed` by them, which is narrower."""
    right = 0 if headed else 1
    table = Table(title=title, box=SIMPLE, padding=(0, right, 0, 0), show_edge=False, pad_edge=False)
    table.title_justify = "left"
    for _ in range(1 if headed else 2):
        table.add_column("", no_wrap=True)
    for heading, _ in shown:
        table.add_column(heading.replace(" ", "\n"), justify="right", vertical="bottom")
    for row in (*rows, total(rows)):
        lines = _lines(row, [measure for _, measure in shown])
        if headed:
            table.add_row(row.name, style="bold")
        for at, (side, cells) in enumerate(lines):
            names = [f"  {side}"] if headed else ["" if at else row.name, side]
            style = "dim" if side == "ratio" else "bold" if row.name == "total" else None
            table.add_row(*names, *cells, style=style, end_section=at == len(lines) - 1 and not headed)
    return table


def _lines(part: Part, measures: Sequence[Callable[[Side], int | None]]) -> list[tuple[str, list[str]]]:
    ours, stock = _values(part.ours, measures), _values(part.stock, measures)
    lines = [("ours", [megabytes(size) for size in ours]), ("stock", [megabytes(size) for size in stock])]
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
    """Ours by stock, for example `0.46`; empty where there is nothing to compare."""
    return f"{ours / stock:.2f}" if stock and ours is not None else ""


def lever_table(report: Report) -> Table:
    """What each lever and each component saved on each wheel."""
    summaries = {lever.name: lever.summary for lever in LEVERS}
    table = Table(title="What each lever and component saved, bytes unpacked")
    for heading in ("wheel", "lever"):
        table.add_column(heading)
    for heading in ("saved", "files"):
        table.add_column(heading, justify="right")
    table.add_column("what")
    rows = [
        (row.wheel, row.lever, row.saved, row.files, summaries[row.lever] + _bracketed(row.note))
        for row in report.levers
    ]
    rows += [
        (row.wheel, f"without {row.component}", row.saved, row.files, row.reason) for row in report.components
    ]
    for wheel, name, saved, files, what in rows:
        if saved == 0 and not files:
            continue
        told = f"{saved:,}" if saved is not None else "not measured"
        table.add_row(wheel.replace("_", "-"), name, told, f"{files:,}" if files else "", what)
    return table


def _bracketed(note: str) -> str:
    return f" ({note})" if note else ""
