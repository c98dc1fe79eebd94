"""One comparison from start to end: list the cases, time them, re-measure outliers, time imports."""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from spokeshave.bench.budget import Budget
from spokeshave.bench.cases import catalogue
from spokeshave.bench.checkpoint import Journal
from spokeshave.bench.dialogue import Worker, WorkerError
from spokeshave.bench.findings import BenchReport, Header, Record, assemble, header_of
from spokeshave.bench.imports import measure_imports, pinned_cpus
from spokeshave.bench.model import (
    SIDES,
    STOCK,
    Catalogue,
    Fault,
    Install,
    Measured,
    Options,
    Progress,
    Side,
)
from spokeshave.bench.outliers import method_of, outliers, remeasured
from spokeshave.bench.pair import Pair, measured_case
from spokeshave.bench.suite import copied
from spokeshave.errors import BenchError

FIRST_SHARE = 0.75  # of the time budget; the rest is for outliers
_NAMES: Mapping[Side, str] = {"ours": "ours", "stock": "the other side"}
_START_TIMEOUT = 300.0  # seconds; listing imports the whole suite
OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What a run works with: the interpreters, the copy of the suite, the scratch folder."""

    pythons: Mapping[Side, Path]
    package: Path
    home: Path
    options: Options

    def start(self, side: Side) -> Worker:
        """A new worker process of a side."""
        return Worker(
            self.pythons[side],
            self.package,
            self.home / side,
            cpus=pinned_cpus(self.options),
            extra=self.options.environ,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """The names of the suite and of the side that ours is compared with, for the report."""

    suite: str
    against: str = STOCK


def processor() -> str:
    """The processor's model as the kernel reports it; empty if it reports none."""
    with contextlib.suppress(OSError):
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.M)
        return found[1] if found else ""
    return ""


def describe(pair: Pair, pythons: Mapping[Side, Path]) -> dict[Side, Install]:
    """Asks both sides for their versions; raises BenchError if they cannot be compared."""
    installs: dict[Side, Install] = {}
    for side in SIDES:
        try:
            answer = pair.worker(side).ask("hello", timeout=_START_TIMEOUT)
        except (WorkerError, OSError) as fault:
            raise BenchError(
                f"{_NAMES[side]}, {pythons[side]}: {fault}",
                next_step=f"install asv_runner there: {pythons[side]} -m pip install asv_runner",
            ) from fault
        installs[side] = Install(
            interpreter=str(pythons[side]), python=answer["python"], packages=answer["versions"]
        )
    ours, stock = installs["ours"], installs["stock"]
    for name, mine, theirs in (
        ("Python", ours.python, stock.python),
        ("asv_runner", ours.packages.get("asv_runner"), stock.packages.get("asv_runner")),
    ):
        if mine != theirs:
            raise BenchError(
                f"{name} differs: {mine} (ours), {theirs} (the other side)",
                next_step="use the same Python and asv_runner on both sides",
            )
    return installs


def find_cases(pair: Pair, options: Options, seed: int) -> Catalogue:
    """Lists both sides' benchmarks and orders the cases to time; raises BenchError."""
    listings = {}
    for side in SIDES:
        try:
            listings[side] = pair.worker(side).ask("list", timeout=_START_TIMEOUT)
        except WorkerError as fault:
            raise BenchError(
                f"{_NAMES[side]} cannot list the benchmarks: {fault}",
                next_step="import the benchmark package with that interpreter and see why",
            ) from fault
    found = catalogue(
        listings["ours"],
        listings["stock"],
        seed=seed,
        pattern=options.pattern,
        limit=options.max_cases,
    )
    for side, modules in found.broken.items():
        if modules and not (found.functions or found.filtered):
            name, reason = next(iter(modules.items()))
            raise BenchError(
                f"no benchmark can run: {len(modules)} modules of the suite do not import ({_NAMES[side]})",
                next_step=f"the first is {name}: {reason}",
            )
    if options.pattern and not found.functions:
        raise BenchError(
            f"no name of the {found.filtered} benchmarks matches {options.pattern!r}",
            next_step="names have the form module.Class.time_it",
        )
    return found


def first_pass(
    pair: Pair, found: Catalogue, options: Options, budget: Budget
) -> Iterator[tuple[int, Measured | Fault]]:
    """Times the cases in their order until the first share of the budget is spent.

    One case of every function is timed in any case.
    """
    for done, case in enumerate(found.cases):
        if done >= found.functions and budget.spent(FIRST_SHARE):
            return
        if done % options.cases_per_worker == 0:
            pair.close()
        for record in measured_case(pair, case, options, rounds=options.rounds, turn=done):
            yield done + 1, record


def _records(job: Job, pair: Pair, found: Catalogue, budget: Budget) -> Iterator[tuple[Progress, Record]]:
    """All records of a run, each with the progress of the run."""

    def at(phase: str, done: int, planned: int, label: str) -> Progress:
        return Progress(phase=phase, done=done, planned=planned, elapsed=budget.elapsed, label=label)

    kept: list[Record] = []
    method = method_of(job.options)
    for done, record in first_pass(pair, found, method.first, budget):
        kept.append(record)
        yield at("first pass", done, len(found.cases), record.case.label), record
    far = outliers(kept, method.far)
    for done, record in remeasured(pair, far, method, budget.next(1 - FIRST_SHARE)):
        yield at("outliers", done, method.pairs * len(far), record.case.label), record
    pair.close()
    samples = measure_imports(job.pythons, job.home, job.options)
    for done, imported in enumerate(samples, 1):
        yield at("imports", done, 2 * len(job.options.modules), imported.module), imported


def _collect(
    coming: Iterable[tuple[Progress, Record]], log: Journal, on_progress: OnProgress | None
) -> tuple[list[Record], bool]:
    """The records, and whether Ctrl-C ended the run; each is written and reported before the next is made."""
    records: list[Record] = []
    try:
        for progress, record in coming:
            log.add(record)
            records.append(record)
            if on_progress:
                on_progress(progress)
    except KeyboardInterrupt:
        return records, True
    return records, False


def compare_installs(
    ours: Path,
    stock: Path,
    suite: Path,
    *,
    seconds: float = 600.0,
    seed: int = 0,
    options: Options | None = None,
    journal: Path | None = None,
    on_progress: OnProgress | None = None,
    labels: Labels | None = None,
    scratch: Path | None = None,
) -> BenchReport:
    """Runs an ASV suite's timing benchmarks interleaved in two installs.

    `ours` and `stock` are interpreters whose environments have asv_runner. `suite` is the folder with
    asv.conf.json, or the benchmark package in it; it is copied, never written to. `seconds` is the budget
    without the import times; an exhaustive comparison has none. One case of every function is timed even
    beyond it, and re-measured if it is far from 1. `seed` decides which parameters come first. `journal`
    receives each record as a JSON line. A ratio is our time by that of the other side. `labels` name the
    suite and the other side in the report. The workers' homes are made in `scratch`. Ctrl-C ends the run;
    the report then holds the results so far.

    Raises BenchError if the two cannot be compared at all.
    """
    options, labels = options or Options(), labels or Labels(suite=str(suite))
    seconds = 0.0 if options.exhaustive else seconds
    pythons: dict[Side, Path] = {"ours": ours.absolute(), "stock": stock.absolute()}
    with (
        tempfile.TemporaryDirectory(prefix="spokeshave-bench-", dir=scratch) as folder,
        contextlib.closing(Journal(journal)) as log,
    ):
        package = copied(suite, Path(folder))
        job = Job(pythons=pythons, package=package, home=Path(folder), options=options)
        with contextlib.closing(Pair(job.start)) as pair:
            installs, found = describe(pair, pythons), find_cases(pair, options, seed)
            header = _header(installs, found, options, labels, seconds=seconds, seed=seed)
            log.begin(header)
            budget = Budget(started=time.monotonic(), seconds=math.inf if options.exhaustive else seconds)
            coming = _records(job, pair, found, budget)
            records, interrupted = _collect(coming, log, on_progress)
            return replace(assemble(header, records), interrupted=interrupted)


def _header(
    installs: Mapping[Side, Install],
    found: Catalogue,
    options: Options,
    labels: Labels,
    *,
    seconds: float,
    seed: int,
) -> Header:
    return header_of(
        installs,
        found,
        options,
        suite=labels.suite,
        against=labels.against,
        processor=processor(),
        load=os.getloadavg()[0],
        seconds=seconds,
        seed=seed,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
