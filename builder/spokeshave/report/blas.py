"""The BLAS of a profile: its size and speed, compared with the one in the PyPI wheels.

The times come from the files that `spokeshave bench --blas` writes next to the wheels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spokeshave.bench.findings import BenchReport, CaseResult, read_json
from spokeshave.bench.results import blas_results
from spokeshave.bench.stats import centre, geometric_mean

ROUTINES = ("dgemm", "sgemm", "zgemm", "dgesv", "dgesdd", "dsyevd")


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """Seconds of one routine on matrices of `size` rows, and the ratio with its quartiles."""

    routine: str
    size: int
    threads: int
    ratio: float
    low: float
    high: float
    ours: float
    stock: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """One routine over all its sizes: the geometric mean, the lowest and the highest quartile."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Backend:
    """A library that provides the BLAS, in bytes unpacked; `speeds` is empty if nothing was measured.

    `stock_unpacked` are the bytes of the libraries that the PyPI wheels of the same packages contain instead.
    """

    distribution: str
    version: str
    unpacked: int
    stock_unpacked: int | None
    speeds: tuple[Speed, ...] = ()

    @property
    def threads(self) -> tuple[int, ...]:
        """The numbers of threads that were measured."""
        return tuple(sorted({speed.threads for speed in self.speeds}))

    def span(self, routine: str, threads: int) -> Span | None:
        """The time of one routine compared with the PyPI wheels; None if it was not measured."""
        rows = [s for s in self.speeds if (s.routine, s.threads) == (routine, threads)]
        if not rows:
            return None
        return Span(
            mean=geometric_mean(row.ratio for row in rows),
            low=min(row.low for row in rows),
            high=max(row.high for row in rows),
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON-serialisable data; `spans` sums the speeds up."""
        spans = [
            {"routine": routine, "threads": threads, **asdict(span)}
            for threads in self.threads
            for routine in ROUTINES
            if (span := self.span(routine, threads))
        ]
        return {**asdict(self), "spans": spans}


def is_backend(build_plan: Mapping[str, Any]) -> bool:
    """Whether the plan, as a wheel's record has it, is that of a BLAS."""
    return bool(build_plan["offers"].get("provides") == "blas")


def measured(folder: Path, profile: str, distribution: str, version: str) -> tuple[Speed, ...]:
    """The speeds in `folder` that were measured on this version of the library.

    Raises BenchError if a file is damaged.
    """
    reports = [read_json(path) for path in blas_results(folder, profile)]
    return tuple(
        speed
        for report in reports
        if report.header.ours.packages.get(distribution) == version
        for speed in sorted(_speeds(report), key=lambda s: (ROUTINES.index(s.routine), s.size))
    )


def _speeds(report: BenchReport) -> Iterator[Speed]:
    for result in report.results:
        found = re.search(r"\.time_(\w+)$", result.case.benchmark)
        if found and found[1] in ROUTINES:
            yield _speed(result, found[1], report.header.options.threads)


def _speed(result: CaseResult, routine: str, threads: int) -> Speed:
    def seconds(samples: Iterable[tuple[float, ...]]) -> float:
        return geometric_mean(centre(one) for one in samples)

    return Speed(
        routine=routine,
        size=int(result.case.params[0]),
        threads=threads,
        ratio=result.ratio,
        low=result.low,
        high=result.high,
        ours=seconds(visit.ours for visit in result.visits),
        stock=seconds(visit.stock for visit in result.visits),
    )
