"""The results of a comparison, computed from its records, and their JSON file."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from spokeshave.bench.model import (
    Case,
    Catalogue,
    Fault,
    ImportSamples,
    Install,
    Measured,
    Options,
    Side,
    Visit,
)
from spokeshave.bench.stats import (
    FAR,
    Summary,
    combined_ratio,
    is_outlier,
    lasting_ratio,
    quartiles,
    round_ratios,
    summarise,
    visit_ratio,
)
from spokeshave.errors import BenchError
from spokeshave.machine.files import write_whole

Record = Measured | Fault | ImportSamples
Where = Literal["ours", "stock", "both"]
FURTHER = 3  # pairs of processes that re-measure each slow case of an exhaustive comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What was compared and how; `seconds` is the time budget, `started` an ISO 8601 UTC time.

    `against` names the side `stock`; `processor` is the model that the kernel reports, `load` the number of
    processes that wanted a CPU in the minute before.
    """

    ours: Install
    stock: Install
    suite: str
    seconds: float
    seed: int
    options: Options
    planned: int
    functions: int
    only_ours: tuple[str, ...]
    only_stock: tuple[str, ...]
    broken: Mapping[Side, Mapping[str, str]]
    other_types: int
    filtered: int
    started: str
    against: str = "stock"
    processor: str = ""
    load: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseResult:
    """One measured case: its ratio, the quartiles of its rounds' ratios, and every sample.

    `lasting` is the ratio that all its visits reach, None after one visit alone.
    """

    case: Case
    ratio: float
    low: float
    high: float
    visits: tuple[Visit, ...]
    lasting: float | None = None

    def repeats(self, bound: float) -> bool:
        """Whether it was slower than `bound` in every pair of processes, of which there were several."""
        return self.lasting is not None and self.lasting > bound


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportResult:
    """One module: quartiles of the import's seconds, medians of the peak bytes, their ratios."""

    module: str
    ours_seconds: tuple[float, float, float]
    stock_seconds: tuple[float, float, float]
    ours_peak_bytes: float
    stock_peak_bytes: float
    time_ratio: float
    memory_ratio: float


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchReport:
    """A whole comparison.

    `faults` holds every fault of a case. `not_taken` counts the cases for which there was no time left,
    `unchecked` the outliers that were not re-measured. `interrupted` is true if Ctrl-C ended the run.
    """

    header: Header
    summary: Summary | None
    results: tuple[CaseResult, ...]
    faults: tuple[Fault, ...]
    not_taken: int
    unchecked: int
    imports: tuple[ImportResult, ...]
    import_faults: tuple[ImportSamples, ...] = ()
    interrupted: bool = False

    def repeating(self, bound: float) -> tuple[CaseResult, ...]:
        """The cases that were slower than `bound` each time, the slowest first."""
        return tuple(result for result in self.results if result.repeats(bound))

    def extremes(self, count: int) -> tuple[tuple[CaseResult, ...], tuple[CaseResult, ...]]:
        """The slowest cases, the slowest first, and of the others the fastest, the fastest first."""
        return self.results[:count], self.results[count:][: -count - 1 : -1]

    def where(self) -> dict[str, Where]:
        """The side or sides on which each case with a fault has it, by the case's label."""
        sides: dict[str, set[Side]] = defaultdict(set)
        for fault in self.faults:
            sides[fault.case.label].add(fault.side)
        return {name: "both" if len(on) == 2 else next(iter(on)) for name, on in sides.items()}


def header_of(
    installs: Mapping[Side, Install],
    found: Catalogue,
    options: Options,
    *,
    suite: str,
    seconds: float,
    seed: int,
    started: str,
    against: str = "stock",
    processor: str = "",
    load: float = 0.0,
) -> Header:
    """Everything that is known before the first measurement."""
    return Header(
        ours=installs["ours"],
        stock=installs["stock"],
        suite=suite,
        seconds=seconds,
        seed=seed,
        options=options,
        planned=len(found.cases),
        functions=found.functions,
        only_ours=found.only_ours,
        only_stock=found.only_stock,
        broken=found.broken,
        other_types=found.other_types,
        filtered=found.filtered,
        started=started,
        against=against,
        processor=processor,
        load=load,
    )


def _result(case: Case, visits: Sequence[Visit], *, exhaustive: bool) -> CaseResult:
    """In an exhaustive comparison the visit that selected a case does not count if there are further ones."""
    counted = visits[1:] or visits if exhaustive else visits
    low, _, high = quartiles([ratio for visit in counted for ratio in round_ratios(visit)])
    return CaseResult(
        case=case,
        ratio=combined_ratio(counted),
        low=low,
        high=high,
        visits=tuple(visits),
        lasting=lasting_ratio(counted),
    )


def _unchecked(results: Iterable[CaseResult], *, exhaustive: bool) -> int:
    """The number of cases that should have been re-measured, and were not."""
    if exhaustive:
        return sum(visit_ratio(r.visits[0]) > FAR and len(r.visits) <= FURTHER for r in results)
    return sum(len(r.visits) == 1 and is_outlier(r.ratio) for r in results)


def _import_results(records: Iterable[ImportSamples]) -> Iterable[ImportResult]:
    whole: dict[str, dict[Side, ImportSamples]] = defaultdict(dict)
    for record in records:
        if record.seconds and not record.fault:
            whole[record.module][record.side] = record
    for module, sides in whole.items():
        if len(sides) < 2:
            continue
        ours, stock = sides["ours"], sides["stock"]
        times = quartiles(ours.seconds), quartiles(stock.seconds)
        peaks = statistics.median(ours.peak_bytes), statistics.median(stock.peak_bytes)
        yield ImportResult(
            module=module,
            ours_seconds=times[0],
            stock_seconds=times[1],
            ours_peak_bytes=peaks[0],
            stock_peak_bytes=peaks[1],
            time_ratio=times[0][1] / times[1][1],
            memory_ratio=peaks[0] / peaks[1],
        )


def assemble(header: Header, records: Iterable[Record]) -> BenchReport:
    """The report of all records so far, of a complete run or not.

    The summary of an exhaustive comparison is that of its first pass: only slow cases are re-measured, so
    that later visits would move the mean.
    """
    exhaustive = header.options.exhaustive
    visits: dict[Case, list[Visit]] = defaultdict(list)
    faults: list[Fault] = []
    imports: list[ImportSamples] = []
    for record in records:
        if isinstance(record, Measured):
            visits[record.case].append(record.visit)
        elif isinstance(record, Fault):
            faults.append(record)
        else:
            imports.append(record)
    results = tuple(_result(case, taken, exhaustive=exhaustive) for case, taken in visits.items())
    return BenchReport(
        header=header,
        summary=summarise(
            [(r.case.benchmark, visit_ratio(r.visits[0]) if exhaustive else r.ratio) for r in results]
        ),
        results=tuple(sorted(results, key=lambda r: (-r.ratio, r.case.label))),
        faults=tuple(faults),
        not_taken=header.planned - len(visits.keys() | {fault.case for fault in faults}),
        unchecked=_unchecked(results, exhaustive=exhaustive),
        imports=tuple(_import_results(imports)),
        import_faults=tuple(record for record in imports if record.fault),
    )


_REPORT: TypeAdapter[BenchReport] = TypeAdapter(BenchReport)


def write_json(report: BenchReport, path: Path) -> None:
    """Writes the report with all samples."""
    write_whole(path, [_REPORT.dump_json(report, indent=1), b"\n"])


def read_json(path: Path) -> BenchReport:
    """Reads a file of `write_json`; raises BenchError for any other file."""
    try:
        return _REPORT.validate_json(path.read_bytes())
    except ValidationError as fault:
        raise BenchError(
            f"{path} is not a comparison that `spokeshave bench` has written",
            next_step="run the benchmark again, or remove the file",
        ) from fault
