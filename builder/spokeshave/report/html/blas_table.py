"""The BLAS backends of all profiles: size, and time compared with the PyPI wheels'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from rich.console import RenderableType

from spokeshave.machine.listing import Column, Listing
from spokeshave.report.blas import ROUTINES, Backend, Span
from spokeshave.report.html.markup import data_table, el
from spokeshave.report.summary import Report
from spokeshave.report.terminal import megabytes, ratio

_HEADINGS = ("profile", "backend", "integers", "called by", "threads", "MB", "/ PyPI", *ROUTINES)
_NOTHING = "\N{EM DASH}"
TITLE = "BLAS compared with the PyPI wheels"
_MEANING = (
    "Time of each routine, ours / PyPI's (below 1 is faster): the geometric mean over all sizes, then the"
    " lowest and the highest quartile. PyPI's numpy calls an ILP64 BLAS, PyPI's scipy an LP64 one."
)
NOTE = f"{_MEANING} {_NOTHING}: not measured (spokeshave bench --blas)."


def backend_rows(reports: Mapping[str, Report]) -> Iterator[tuple[str, ...]]:
    """The cells of each line: a profile has one for each caller and number of threads that was measured."""
    for label, report in reports.items():
        if (blas := report.blas) is None:
            continue
        name = _named(blas)
        sizes = megabytes(blas.unpacked), ratio(blas.unpacked, blas.stock_unpacked)
        for at, (threads, caller) in enumerate(blas.series or ((0, ""),)):
            left, right = (("", "", ""), ("", "")) if at else ((label, name, _integers(blas)), sizes)
            yield (*left, caller, str(threads or ""), *right, *_cells(blas, threads, caller))


def _cells(blas: Backend, threads: int, caller: str) -> Iterator[str]:
    for routine in ROUTINES:
        yield _text(blas.span(routine, threads, caller))


def _integers(blas: Backend) -> str:
    return ", ".join(width.upper() for width in blas.integers)


def _text(span: Span | None) -> str:
    return f"{span.mean:.2f} ({span.low:.2f}-{span.high:.2f})" if span else _NOTHING


def backend_tables(reports: Mapping[str, Report]) -> list[RenderableType]:
    """For a terminal: sizes, times and notes; nothing where no profile's wheels hold a BLAS."""
    known = {label: report.blas for label, report in reports.items() if report.blas is not None}
    if not known:
        return []
    timed = {label: blas for label, blas in known.items() if blas.series}
    lacking = [label for label in known if label not in timed]
    notes = [_MEANING] if timed else []
    notes += [f"Not measured: {', '.join(lacking)} (spokeshave bench --blas)"] if lacking else []
    return [_sizes(known), *([_times(timed)] if timed else []), *notes]


def _sizes(known: Mapping[str, Backend]) -> Listing:
    rows = [
        (
            *(label, _named(blas), _integers(blas)),
            *(megabytes(blas.unpacked), ratio(blas.unpacked, blas.stock_unpacked)),
        )
        for label, blas in known.items()
    ]
    columns = (
        *(Column("profile", whole=True), Column("backend", whole=True), Column("integers")),
        *(Column("MB", number=True), Column("ratio", number=True)),
    )
    return Listing(title=f"{TITLE}: size", columns=columns, rows=rows)


def _times(timed: Mapping[str, Backend]) -> Listing:
    """The mean of each routine, and its spread below it."""
    rows = [
        (
            *(label, f"{caller}\n{threads}"),
            *(cell.replace(" (", "\n").rstrip(")") for cell in _cells(blas, threads, caller)),
        )
        for label, blas in timed.items()
        for threads, caller in blas.series
    ]
    routines = (Column(routine, number=True) for routine in ROUTINES)
    columns = (Column("profile", whole=True), Column("caller, threads"), *routines)
    return Listing(title=f"{TITLE}: time", columns=columns, rows=rows, labels=2)


def _named(blas: Backend) -> str:
    return f"{blas.distribution} {blas.version.partition('+')[0]}"


def backend_section(reports: Mapping[str, Report]) -> Element | None:
    """For the page; None where no profile's wheels hold a BLAS."""
    rows = list(backend_rows(reports))
    if not rows:
        return None
    table = data_table(_HEADINGS, rows, label="BLAS backends", text_columns=4)
    return el("section", el("h2", TITLE), table, el("p", NOTE, class_="note"), aria_label=TITLE)
