"""The results of an exhaustive comparison: every parameter combination, and the slow cases that repeat.

A first pass times every case once. Each case above 1.15 is re-measured in three further pairs of processes.
It repeats if it is above 1.15 in each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spokeshave.bench.findings import FURTHER, BenchReport, CaseResult
from spokeshave.bench.model import Case, side_title
from spokeshave.bench.naming import short_names
from spokeshave.bench.stats import FAR, centre, duration, visit_ratio
from spokeshave.machine.listing import Column, Listing

BOUNDS = (FAR, 1.3)  # the summary counts the cases that repeat above these


def further_ratios(result: CaseResult) -> tuple[float, ...]:
    """The ratios of the pairs of processes that re-measured a case."""
    return tuple(visit_ratio(visit) for visit in result.visits[1:])


def repeating(report: BenchReport, bound: float = FAR) -> tuple[CaseResult, ...]:
    """The cases above `bound` in each of the further pairs, the slowest first."""
    ratios = {result.case: further_ratios(result) for result in report.results}
    return tuple(
        result
        for result in report.results
        if len(ratios[result.case]) == FURTHER and min(ratios[result.case]) > bound
    )


def slow_at_first(report: BenchReport) -> int:
    """The number of cases above 1.15 in the first pass."""
    return sum(visit_ratio(result.visits[0]) > FAR for result in report.results)


def exhaustive_json(report: BenchReport) -> dict[str, Any]:
    """The summary and the repeating cases as JSON-serialisable data; shares are of all timed cases."""
    found, count, names = repeating(report), len(report.results), short_names(report)
    rows = [
        {
            "case": result.case.label,
            "name": names[result.case],
            "ratio": result.ratio,
            "pairs": list(further_ratios(result)),
            "stock_seconds": centre(result.visits[-1].stock),
        }
        for result in found
    ]
    return {
        "cases": count,
        "geometric_mean": report.summary.mean if report.summary else None,
        "geometric_mean_by_function": report.summary.mean_by_function if report.summary else None,
        "above_in_first_pass": slow_at_first(report),
        "not_remeasured": report.unchecked,
        "share_repeating": len(found) / count if count else None,
        "repeating_above": {f"{bound:.2f}": len(repeating(report, bound)) for bound in BOUNDS},
        "worst": rows[0] if rows else None,
        "repeating": rows,
    }


def exhaustive_tables(report: BenchReport) -> Iterator[Listing]:
    """For a terminal: the cases that repeat, and a summary."""
    found, names = repeating(report), short_names(report)
    if found:
        yield _cases(found, names, side_title(report.header.against))
    yield _summary(report, found, names)


def _cases(found: tuple[CaseResult, ...], names: Mapping[Case, str], against: str) -> Listing:
    rows = [
        (
            f"{result.ratio:.2f}",
            " ".join(f"{ratio:.2f}" for ratio in further_ratios(result)),
            duration(centre(result.visits[-1].stock)),
            names[result.case],
        )
        for result in found
    ]
    numbers = (Column(heading, number=True) for heading in ("ratio", "each pair", against))
    title = f"above {FAR:.2f} in each of {FURTHER} further pairs of processes"
    return Listing(title=title, columns=[*numbers, Column("case")], rows=rows)


def _summary(report: BenchReport, found: tuple[CaseResult, ...], names: Mapping[Case, str]) -> Listing:
    header, count, summary = report.header, len(report.results), report.summary
    stopped = ", then interrupted" if report.interrupted else ""
    slow = slow_at_first(report)
    rows = [("cases timed", f"{count} of {header.planned}{stopped}")]
    if summary:
        rows += [
            ("functions timed", f"{summary.functions} of {header.functions}"),
            ("geometric mean, each case once", f"{summary.mean:.3f}"),
            ("geometric mean, each function once", f"{summary.mean_by_function:.3f}"),
        ]
    rows += [
        (f"above {FAR:.2f} in the first pass", _share(slow, count)),
        (f"of these not re-measured in {FURTHER} pairs", str(report.unchecked)),
    ]
    rows += [
        (f"above {bound:.2f} in each further pair", _share(len(repeating(report, bound)), count))
        for bound in BOUNDS
    ]
    if found:
        rows.append(("worst", f"{found[0].ratio:.2f}  {names[found[0].case]}"))
    columns = (Column(f"time, ours / {side_title(header.against)}"), Column(""))
    return Listing(title="summary of all parameter combinations", columns=columns, rows=rows)


def _share(part: int, count: int) -> str:
    return f"{part} ({part / count:.1%} of all cases)" if count else str(part)
