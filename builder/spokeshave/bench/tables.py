"""A report as rich tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from spokeshave.bench.report import BenchReport, CaseResult
from spokeshave.bench.stats import Summary, centre, visit_ratio

_SHOWN = 20
_MIB = 1 << 20


def _duration(seconds: float) -> str:
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _summary(report: BenchReport, found: Summary) -> Table:
    table = Table(f"time, ours / {report.header.against}", "", title="summary", title_justify="left")
    low, mid, high = found.quartiles
    stopped = ", then interrupted" if report.interrupted else ""
    table.add_row("cases measured", f"{found.count} of {report.header.planned} planned{stopped}")
    table.add_row("functions measured", f"{found.functions} of {report.header.functions}")
    table.add_row("geometric mean, each function once", f"{found.mean_by_function:.3f}")
    table.add_row("geometric mean, each case once", f"{found.mean:.3f}")
    table.add_row("quartiles", f"{low:.3f}  {mid:.3f}  {high:.3f}")
    for bound, share in found.over.items():
        again = len(report.repeating(bound))
        table.add_row(f"slower than {bound:.2f}", f"{share:.1%}; in every pair of processes {again}")
    for bound, share in found.under.items():
        table.add_row(f"faster than {bound:.2f}", f"{share:.1%}")
    table.add_row("stand out, no time to check again", str(report.unchecked))
    return table


def _cases(title: str, results: Sequence[CaseResult], against: str) -> Table:
    columns = ("ratio", "each pair", "quartiles", against)
    table = Table(*columns, title=title, title_justify="left")
    table.add_column("case", overflow="fold")
    for result in results:
        table.add_row(
            f"{result.ratio:.2f}",
            " ".join(f"{visit_ratio(visit):.2f}" for visit in result.visits),
            f"{result.low:.2f}-{result.high:.2f}",
            _duration(centre(result.visits[-1].stock)),
            escape(result.case.label),
        )
    return table


def grid(report: BenchReport) -> Table:
    """Each benchmark function in a row and its first parameter in columns: for BLAS calls and their sizes."""
    ratios = {(result.case.benchmark, result.case.params[:1]): result.ratio for result in report.results}
    sizes = sorted({params for _, params in ratios}, key=lambda p: (len(p and p[0]), p))
    columns = (f"ours / {report.header.against}", *(" ".join(params) for params in sizes))
    table = Table(*columns, title="each call by the size of its matrices", title_justify="left")
    for name in sorted({name for name, _ in ratios}):
        cells = (ratios.get((name, params)) for params in sizes)
        told = ("" if ratio is None else f"{ratio:.2f}" for ratio in cells)
        table.add_row(name.rpartition(".")[2].removeprefix("time_"), *told)
    return table


def _left_out(report: BenchReport) -> Table:
    header, where = report.header, report.where()
    table = Table("count", "where", "what", "for example", title="left out", title_justify="left")
    kinds = Counter((where[f.case.label], f.kind, f.reason) for f in report.faults)
    cases = {(where[f.case.label], f.kind, f.reason): f.case.label for f in report.faults}
    for key, count in sorted(kinds.items(), key=lambda item: (item[0][0], -item[1])):
        on, kind, reason = key
        halved = count // 2 if on == "both" else count
        table.add_row(str(max(1, halved)), on, escape(f"{kind}: {reason}"), escape(cases[key]))
    for side, labels in (("ours", header.only_ours), ("stock", header.only_stock)):
        if labels:
            table.add_row(str(len(labels)), side, "listed on this side alone", escape(labels[0]))
    for side, broken in header.broken.items():
        for module, reason in broken.items():
            table.add_row("1", side, escape(f"module cannot be imported: {reason}"), module)
    for imported in report.import_faults:
        table.add_row("1", imported.side, escape(f"import failed: {imported.fault}"), imported.module)
    for count, what in (
        (report.not_taken, "no time left (further combinations of parameters)"),
        (header.other_types, "not a timing benchmark"),
        (header.filtered, "filtered out by name (functions)"),
    ):
        if count:
            table.add_row(str(count), "", what, "")
    return table


def _imports(report: BenchReport) -> Table:
    against = report.header.against
    table = Table(title="import in a fresh process", title_justify="left")
    table.add_column("module", overflow="fold")
    for heading in ("ours", against, "time ratio", "peak ours", f"peak {against}", "memory ratio"):
        table.add_column(heading)
    for row in report.imports:
        ours, stock = row.ours_seconds, row.stock_seconds
        table.add_row(
            row.module,
            f"{_duration(ours[1])} ({_duration(ours[0])}-{_duration(ours[2])})",
            f"{_duration(stock[1])} ({_duration(stock[0])}-{_duration(stock[2])})",
            f"{row.time_ratio:.3f}",
            f"{row.ours_peak_bytes / _MIB:.1f} MiB",
            f"{row.stock_peak_bytes / _MIB:.1f} MiB",
            f"{row.memory_ratio:.3f}",
        )
    return table


def tables(report: BenchReport) -> Iterator[RenderableType]:
    """What to print of a report: summary, worst and best cases, what was left out, imports."""
    against = report.header.against
    if report.summary:
        slow, fast = report.extremes(_SHOWN)
        yield _cases(f"slowest {_SHOWN}", slow, against)
        if fast:
            yield _cases(f"fastest {_SHOWN}", fast, against)
        yield _summary(report, report.summary)
    left_out = _left_out(report)
    if left_out.row_count:
        yield left_out
    if report.imports:
        yield _imports(report)


def differing(report: BenchReport) -> Iterable[str]:
    """The distributions that are not the same on both sides, as `name ours / stock`."""
    ours, stock = report.header.ours.packages, report.header.stock.packages
    for name in sorted(ours.keys() | stock.keys()):
        if ours.get(name) != stock.get(name):
            yield f"{name} {ours.get(name, 'none')} / {stock.get(name, 'none')}"
