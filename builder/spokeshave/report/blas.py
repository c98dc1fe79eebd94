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
_CALLERS = {"Square": "numpy", "SquareThroughScipy": "scipy"}  # by the class of the benchmark


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """Seconds of one routine on matrices of `size` rows, and the ratio with its quartiles.

    `caller` is numpy or scipy: PyPI's numpy calls the routine with 64-bit integers, PyPI's scipy with
    32-bit integers, each in its own library.
    """

    routine: str
    caller: str
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

    `integers` are the widths of its integers: `ilp64`, `lp64` or both.
    `stock_unpacked` are the bytes of the libraries that the PyPI wheels of the same packages contain instead.
    """

    distribution: str
    version: str
    integers: tuple[str, ...]
    unpacked: int
    stock_unpacked: int | None
    speeds: tuple[Speed, ...] = ()

    @property
    def series(self) -> tuple[tuple[int, str], ...]:
        """The numbers of threads that were measured, each with the package that called the routines."""
        return tuple(sorted({(speed.threads, speed.caller) for speed in self.speeds}))

    def span(self, routine: str, threads: int, caller: str) -> Span | None:
        """The time of one routine compared with the PyPI wheels; None if it was not measured."""
        wanted = (routine, threads, caller)
        rows = [s for s in self.speeds if (s.routine, s.threads, s.caller) == wanted]
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
            {"routine": routine, "caller": caller, "threads": threads, **asdict(span)}
            for threads, caller in self.series
            for routine in ROUTINES
            if (span := self.span(routine, threads, caller))
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
        for speed in sorted(_speeds(report), key=lambda s: (s.caller, ROUTINES.index(s.routine), s.size))
    )


def _speeds(report: BenchReport) -> Iterator[Speed]:
    for result in report.results:
        found = re.search(r"\.(\w+)\.time_(\w+)$", result.case.benchmark)
        if found and found[1] in _CALLERS and found[2] in ROUTINES:
            yield _speed(result, found[2], _CALLERS[found[1]], report.header.options.threads)


def _speed(result: CaseResult, routine: str, caller: str, threads: int) -> Speed:
    def seconds(samples: Iterable[tuple[float, ...]]) -> float:
        return geometric_mean(centre(one) for one in samples)

    return Speed(
        routine=routine,
        caller=caller,
        size=int(result.case.params[0]),
        threads=threads,
        ratio=result.ratio,
        low=result.low,
        high=result.high,
        ours=seconds(visit.ours for visit in result.visits),
        stock=seconds(visit.stock for visit in result.visits),
    )
