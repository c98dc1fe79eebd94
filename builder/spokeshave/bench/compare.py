"""The course of a comparison: list, measure, check what stands out again, time imports."""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from spokeshave.bench.cases import catalogue
from spokeshave.bench.checkpoint import Journal
from spokeshave.bench.dialogue import Worker, WorkerError
from spokeshave.bench.findings import BenchReport, Record, assemble, header_of
from spokeshave.bench.imports import measure_imports, pinned_cpus
from spokeshave.bench.model import (
    SIDES,
    Case,
    Catalogue,
    Fault,
    Install,
    Measured,
    Options,
    Progress,
    Side,
    Visit,
)
from spokeshave.bench.pair import CaseError, Pair, Turn
from spokeshave.bench.stats import combined_ratio, stands_out
from spokeshave.bench.suite import copied
from spokeshave.errors import BenchError

FIRST_SHARE = 0.75  # of the time budget; the rest is for checking again
FAR = 1.15  # a case that is so much slower or faster is checked again whatever the budget
AGAIN = 2  # further pairs of processes that check what stands out, with twice the rounds
_START_TIMEOUT = 300.0  # seconds; listing imports the whole suite
OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """The run's time: when it started on the monotonic clock, and its budget in seconds."""

    started: float
    seconds: float

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def spent(self, share: float) -> bool:
        """Whether that share of the budget is used up."""
        return self.elapsed > share * self.seconds

    def next(self, share: float) -> Watch:
        """A watch for the next phase: what is left, but that share of the budget at least."""
        left = self.seconds - self.elapsed
        return Watch(started=time.monotonic(), seconds=max(left, share * self.seconds))


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Where a run takes place: the interpreters, the copy of the suite, the scratch folder."""

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
class Told:
    """What a report calls the suite, and the side that ours is compared with."""

    suite: str
    against: str = "stock"


def processor() -> str:
    """The processor's model as the kernel tells it; empty where it does not."""
    with contextlib.suppress(OSError):
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.M)
        return found[1] if found else ""
    return ""


def describe(pair: Pair, pythons: Mapping[Side, Path]) -> dict[Side, Install]:
    """Asks both sides what they are; raises BenchError where they cannot be compared."""
    installs: dict[Side, Install] = {}
    for side in SIDES:
        try:
            answer = pair.worker(side).ask("hello", timeout=_START_TIMEOUT)
        except (WorkerError, OSError) as fault:
            raise BenchError(
                f"{side}, {pythons[side]}: {fault}",
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
                f"{name} differs: {mine} (ours), {theirs} (stock)",
                next_step="compare two installs that differ in nothing else",
            )
    return installs


def find_cases(pair: Pair, options: Options, seed: int) -> Catalogue:
    """Lists both sides' benchmarks and puts those to measure in order; raises BenchError."""
    listings = {}
    for side in SIDES:
        try:
            listings[side] = pair.worker(side).ask("list", timeout=_START_TIMEOUT)
        except WorkerError as fault:
            raise BenchError(
                f"{side} cannot list the benchmarks: {fault}",
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
                f"no benchmark can run: {len(modules)} modules of the suite do not import on the side {side}",
                next_step=f"the first is {name}: {reason}",
            )
    if options.pattern and not found.functions:
        raise BenchError(
            f"no benchmark of the {found.filtered} has a name in which {options.pattern!r} is found",
            next_step="names are of the form module.Class.time_it",
        )
    return found


def _visit(pair: Pair, case: Case, options: Options, *, rounds: int, turn: int) -> Iterator[Measured | Fault]:
    visit = Turn(pair, case, options, first=SIDES[turn % 2])
    try:
        yield Measured(case=case, visit=visit.take(rounds))
    except CaseError as failed:
        yield from failed.faults


def first_look(
    pair: Pair, found: Catalogue, options: Options, watch: Watch
) -> Iterator[tuple[int, Measured | Fault]]:
    """Measures the cases in their order until the first share of the budget is spent.

    The first pass, one case of every function, is finished in any case.
    """
    for done, case in enumerate(found.cases):
        if done >= found.functions and watch.spent(FIRST_SHARE):
            return
        if done % options.cases_per_worker == 0:
            pair.close()
        for record in _visit(pair, case, options, rounds=options.rounds, turn=done):
            yield done + 1, record


def outliers(records: Iterable[Record]) -> dict[Case, float]:
    """The measured cases that stand out, with their ratios, the farthest from 1 first."""
    visits: dict[Case, list[Visit]] = defaultdict(list)
    for record in records:
        if isinstance(record, Measured):
            visits[record.case].append(record.visit)
    ratios = {case: combined_ratio(taken) for case, taken in visits.items()}
    far = [case for case, ratio in ratios.items() if stands_out(ratio)]
    far.sort(key=lambda case: (-abs(math.log(ratios[case])), case.label))
    return {case: ratios[case] for case in far}


def second_look(
    pair: Pair, far: Mapping[Case, float], options: Options, watch: Watch
) -> Iterator[tuple[int, Measured | Fault]]:
    """Measures what stands out again, each time in new processes, while the budget lasts.

    What is much slower or much faster is measured once more in any case, so that chance can be told from a
    cause; in both directions, or chance would leave the mean on one side.
    """
    for again in range(AGAIN):
        pair.close()
        for done, (case, ratio) in enumerate(far.items()):
            if watch.spent(1.0) and (again or 1 / FAR <= ratio <= FAR):
                return
            longer = replace(options, case_seconds=2 * options.case_seconds)
            for record in _visit(pair, case, longer, rounds=2 * options.rounds, turn=done + again):
                yield again * len(far) + done + 1, record


def _records(job: Job, pair: Pair, found: Catalogue, watch: Watch) -> Iterator[tuple[Progress, Record]]:
    """All records of a run, each with where the run stands."""

    def at(phase: str, done: int, planned: int, label: str) -> Progress:
        return Progress(phase=phase, done=done, planned=planned, elapsed=watch.elapsed, label=label)

    kept: list[Record] = []
    for done, record in first_look(pair, found, job.options, watch):
        kept.append(record)
        yield at("measure", done, len(found.cases), record.case.label), record
    far = outliers(kept)
    for done, record in second_look(pair, far, job.options, watch.next(1 - FIRST_SHARE)):
        yield at("check again", done, AGAIN * len(far), record.case.label), record
    pair.close()
    samples = measure_imports(job.pythons, job.home, job.options)
    for done, imported in enumerate(samples, 1):
        yield at("imports", done, 2 * len(job.options.modules), imported.module), imported


def _collect(
    coming: Iterable[tuple[Progress, Record]], log: Journal, on_progress: OnProgress | None
) -> tuple[list[Record], bool]:
    """The records, each written down and told of before the next one is made; and whether Ctrl-C ended it."""
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
    told: Told | None = None,
    scratch: Path | None = None,
) -> BenchReport:
    """Runs an ASV suite's timing benchmarks against two installs in turns.

    `ours` and `stock` are interpreters whose environments have asv_runner, `suite` is the folder with
    asv.conf.json or the benchmark package in it (copied, never written to). `seconds` is the budget
    without the import times; one case of every function is measured even beyond it, and checked again where
    it is far from 1. `seed` decides which parameters come first. `journal` receives each record as a JSON
    line. Ratios are ours / stock. `told` is what the report calls them. The workers' homes are made in
    `scratch`. Ctrl-C ends the measuring, and the report holds what there is.

    Raises BenchError where the two cannot be compared at all.
    """
    options, told = options or Options(), told or Told(suite=str(suite))
    pythons: dict[Side, Path] = {"ours": ours.absolute(), "stock": stock.absolute()}
    with (
        tempfile.TemporaryDirectory(prefix="spokeshave-bench-", dir=scratch) as folder,
        Journal(journal) as log,
    ):
        package = copied(suite, Path(folder))
        job = Job(pythons=pythons, package=package, home=Path(folder), options=options)
        with Pair(job.start) as pair:
            installs, found = describe(pair, pythons), find_cases(pair, options, seed)
            header = header_of(
                installs,
                found,
                options,
                suite=told.suite,
                against=told.against,
                processor=processor(),
                load=os.getloadavg()[0],
                seconds=seconds,
                seed=seed,
                started=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            log.begin(header)
            watch = Watch(started=time.monotonic(), seconds=seconds)
            coming = _records(job, pair, found, watch)
            records, interrupted = _collect(coming, log, on_progress)
            return replace(assemble(header, records), interrupted=interrupted)
