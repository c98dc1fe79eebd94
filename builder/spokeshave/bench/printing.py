"""A report as tables on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from spokeshave.bench.exhaustive import exhaustive_tables
from spokeshave.bench.findings import BenchReport, CaseResult
from spokeshave.bench.model import side_title
from spokeshave.bench.stats import Summary, centre, duration, visit_ratio
from spokeshave.machine.listing import Column, Listing

_SHOWN = 20
_MIB = 1 << 20


def _numbers(*headings: str) -> list[Column]:
    return [Column(heading, number=True) for heading in headings]


def _summary(report: BenchReport, found: Summary) -> Listing:
    stopped = ", then interrupted" if report.interrupted else ""
    rows = [
        ("cases measured", f"{found.count} of {report.header.planned} planned{stopped}"),
        ("functions measured", f"{found.functions} of {report.header.functions}"),
        ("geometric mean, each function once", f"{found.mean_by_function:.3f}"),
        ("geometric mean, each case once", f"{found.mean:.3f}"),
        ("quartiles", "  ".join(f"{one:.3f}" for one in found.quartiles)),
    ]
    for bound, share in found.over.items():
        again = len(report.repeating(bound))
        rows.append((f"slower than {bound:.2f}", f"{share:.1%}; in every pair of processes {again}"))
    rows += [(f"faster than {bound:.2f}", f"{share:.1%}") for bound, share in found.under.items()]
    rows.append(("outliers that were not re-measured", str(report.unchecked)))
    columns = (Column(f"time, ours / {side_title(report.header.against)}"), Column(""))
    return Listing(title="summary", columns=columns, rows=rows)


def _cases(title: str, results: Sequence[CaseResult], against: str) -> Listing:
    rows = [
        (
            f"{result.ratio:.2f}",
            " ".join(f"{visit_ratio(visit):.2f}" for visit in result.visits),
            f"{result.low:.2f}-{result.high:.2f}",
            duration(centre(result.visits[-1].stock)),
            result.case.label,
        )
        for result in results
    ]
    columns = [*_numbers("ratio", "each pair", "quartiles", against), Column("case")]
    return Listing(title=title, columns=columns, rows=rows)


def grid(report: BenchReport) -> Listing:
    """Each benchmark function in a row and its first parameter in columns: for BLAS calls and their sizes."""
    ratios = {(result.case.benchmark, result.case.params[:1]): result.ratio for result in report.results}
    sizes = sorted({params for _, params in ratios}, key=lambda p: (len(p and p[0]), p))
    rows = []
    for name in sorted({name for name, _ in ratios}):
        cells = (ratios.get((name, params)) for params in sizes)
        texts = ("" if ratio is None else f"{ratio:.2f}" for ratio in cells)
        rows.append((name.rpartition(".")[2].removeprefix("time_"), *texts))
    first = Column(f"ours / {side_title(report.header.against)}", whole=True)
    columns = [first, *_numbers(*(" ".join(params) for params in sizes))]
    return Listing(title="each call by the size of its matrices", columns=columns, rows=rows, labels=1)


def _missing(report: BenchReport) -> Listing:
    columns = [*_numbers("count"), Column("where", whole=True), Column("what"), Column("for example")]
    rows = [*_faults(report), *_one_sided(report), *_passed_over(report)]
    return Listing(title="not measured", columns=columns, rows=rows)


def _names(report: BenchReport) -> Mapping[str, str]:
    return {"ours": "ours", "stock": side_title(report.header.against), "both": "both"}


def _faults(report: BenchReport) -> Iterator[Sequence[str]]:
    where, names = report.where(), _names(report)
    kinds = Counter((where[f.case.label], f.kind, f.reason) for f in report.faults)
    cases = {(where[f.case.label], f.kind, f.reason): f.case.label for f in report.faults}
    for key, count in sorted(kinds.items(), key=lambda item: (item[0][0], -item[1])):
        on, kind, reason = key
        halved = count // 2 if on == "both" else count
        yield str(max(1, halved)), names[on], f"{kind}: {reason}", cases[key]


def _one_sided(report: BenchReport) -> Iterator[Sequence[str]]:
    header = report.header
    names = _names(report)
    for side, labels in (("ours", header.only_ours), ("stock", header.only_stock)):
        if labels:
            yield str(len(labels)), names[side], "listed on this side alone", labels[0]
    for side, broken in header.broken.items():
        for module, reason in broken.items():
            yield "1", names[side], f"module cannot be imported: {reason}", module
    for imported in report.import_faults:
        yield "1", names[imported.side], f"import failed: {imported.fault}", imported.module


def _passed_over(report: BenchReport) -> Iterator[Sequence[str]]:
    for count, what in (
        (report.not_taken, "not timed (further combinations of parameters)"),
        (report.header.other_types, "not a timing benchmark"),
        (report.header.filtered, "excluded by --filter (functions)"),
    ):
        if count:
            yield str(count), "", what, ""


def _imports(report: BenchReport) -> Listing:
    against = side_title(report.header.against)
    rows = [
        (
            row.module,
            _spread(row.ours_seconds),
            _spread(row.stock_seconds),
            f"{row.time_ratio:.3f}",
            f"{row.ours_peak_bytes / _MIB:.1f} MiB",
            f"{row.stock_peak_bytes / _MIB:.1f} MiB",
            f"{row.memory_ratio:.3f}",
        )
        for row in report.imports
    ]
    headings = ("ours", against, "time ratio", "peak ours", f"peak {against}", "memory ratio")
    columns = [Column("module", whole=True), *_numbers(*headings)]
    return Listing(title="import in a fresh process", columns=columns, rows=rows, labels=1)


def _spread(seconds: Sequence[float]) -> str:
    low, middle, high = map(duration, seconds)
    return f"{middle} ({low}-{high})"


def tables(report: BenchReport) -> Iterator[Listing]:
    """The tables of a report: worst and best cases, summary, what was not measured, imports."""
    against = side_title(report.header.against)
    if report.summary and report.header.options.exhaustive:
        yield from exhaustive_tables(report)
    elif report.summary:
        slow, fast = report.extremes(_SHOWN)
        yield _cases(f"slowest {_SHOWN}", slow, against)
        if fast:
            yield _cases(f"fastest {_SHOWN}", fast, against)
        yield _summary(report, report.summary)
    missing = _missing(report)
    if missing.rows:
        yield missing
    if report.imports:
        yield _imports(report)


def differing(report: BenchReport) -> Iterable[str]:
    """The distributions that differ, as `name ours / stock`."""
    ours, stock = report.header.ours.packages, report.header.stock.packages
    for name in sorted(ours.keys() | stock.keys()):
        if ours.get(name) != stock.get(name):
            yield f"{name} {ours.get(name, 'none')} / {stock.get(name, 'none')}"
