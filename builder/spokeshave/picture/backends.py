"""The BLAS backends of all profiles in one table: size, and time beside stock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from rich.box import SIMPLE
from rich.table import Table

from spokeshave.backends import ROUTINES, Backend, Span
from spokeshave.picture.markup import data_table, el
from spokeshave.picture.terminal import megabytes, ratio
from spokeshave.report import Report

_HEADINGS = ("profile", "backend", "MB", "/ stock", "threads", *ROUTINES)
_NOTHING = "\N{EM DASH}"
TITLE = "BLAS beside stock"
NOTE = (
    "Time of each routine, ours / stock (below 1 is faster): the mean over sizes, and the quartiles around"
    f" all of them. {_NOTHING}: not measured (spokeshave bench --blas)."
)


def backend_rows(reports: Mapping[str, Report]) -> Iterator[tuple[str, ...]]:
    """The cells of each line: a profile has one for each number of threads that was measured."""
    for label, report in reports.items():
        if (blas := report.blas) is None:
            continue
        name = f"{blas.distribution} {blas.version.partition('+')[0]}"
        sizes = megabytes(blas.unpacked), ratio(blas.unpacked, blas.stock_unpacked)
        for at, threads in enumerate(blas.threads or (0,)):
            told = ("", "", "", "") if at else (label, name, *sizes)
            yield (*told, str(threads or ""), *_cells(blas, threads))


def _cells(blas: Backend, threads: int) -> Iterator[str]:
    for routine in ROUTINES:
        yield _told(blas.span(routine, threads))


def _told(span: Span | None) -> str:
    return f"{span.mean:.2f} ({span.low:.2f}-{span.high:.2f})" if span else _NOTHING


def backend_table(reports: Mapping[str, Report]) -> Table | None:
    """For a terminal; None where no profile's wheels hold a BLAS."""
    rows = list(backend_rows(reports))
    if not rows:
        return None
    table = Table(title=TITLE, caption=NOTE, box=SIMPLE, show_edge=False, pad_edge=False)
    table.title_justify = table.caption_justify = "left"
    for at, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="left" if at < 2 else "right", overflow="fold")
    for row in rows:
        name, backend, *cells = row
        # The version below its library, the spread below its mean.
        told = (cell.replace(" (", "\n").rstrip(")") for cell in cells)
        table.add_row(name, backend.replace(" ", "\n"), *told)
    return table


def backend_section(reports: Mapping[str, Report]) -> Element | None:
    """For the page; None where no profile's wheels hold a BLAS."""
    rows = list(backend_rows(reports))
    if not rows:
        return None
    table = data_table(_HEADINGS, rows, label="BLAS backends", text_columns=2)
    return el("section", el("h2", TITLE), table, el("p", NOTE, class_="note"), aria_label=TITLE)
