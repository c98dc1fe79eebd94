"""The work of PGO profile collection: benchmarks and tests in an install with instrumented code.

A process writes its profile data when it ends, added to those of earlier ones: it must not be killed before.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.bench.cases import catalogue
from spokeshave.bench.dialogue import Worker, WorkerError
from spokeshave.bench.imports import pinned_cpus
from spokeshave.bench.model import Case, Options
from spokeshave.bench.pair import next_number
from spokeshave.bench.suite import copied
from spokeshave.build.pgo.bundle import ended
from spokeshave.errors import TrainError
from spokeshave.inside.run import Command, Runner, clean_environment, pytest_words
from spokeshave.machine.progress import Reporter
from spokeshave.machine.venvs import Venv
from spokeshave.recipes.verify_schema import VerifyTable

_CASE_SECONDS = 0.02  # for one case, after a first call
_PATIENCE = 120.0  # seconds; instrumented code is several times slower
_SHIFT = 100  # cases that one process runs
# pytest-xdist's messages for a lost process, whose profile data are lost too, and for processes that found
# different tests; its exit code is then that of a failed test.
_LOST = ("node down", "crashed while running", "Different tests were collected")
_SAME_TESTS = {"PYTHONHASHSEED": "0"}  # parametrised over sets, in every process
# pytest-xdist kills a process that takes 10 s to end: pandas' takes longer, and wrote no profile data.
_PYTEST = """
import sys, pytest
class Patient:
    def pytest_configure(self):
        import xdist.workermanage
        xdist.workermanage.NodeManager.EXIT_TIMEOUT = None
sys.exit(pytest.main(sys.argv[1:], plugins=[Patient()]))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """The environment of the work.

    The processes write profile data into `counters`. `path` is the value of PATH; `cpus` of them run at once.
    """

    venv: Venv
    home: Path
    counters: Path
    env: Mapping[str, str]
    path: str
    cpus: int
    reporter: Reporter

    @property
    def counting(self) -> dict[str, str]:
        """The variables of the work and of libgcov."""
        return {**self.env, "GCOV_PREFIX": str(self.counters)}


def run_suite(where: Workspace, suite: Path, seconds: float) -> tuple[int, int]:
    """Runs cases of a suite for so many seconds, every function once before any twice.

    Returns how many ran and how many failed. Raises TrainError if none ran.
    """
    package = copied(suite, where.home)
    worker = _start(where, package)
    ran = 0
    faults: list[str] = []
    try:
        listing = worker.ask("list", timeout=_PATIENCE)
        cases = catalogue(listing, listing).cases
        deadline = time.monotonic() + seconds
        for at, case in enumerate(cases, 1):
            if time.monotonic() > deadline:
                break
            if not worker.alive or at % _SHIFT == 0:
                worker.finish(_PATIENCE)
                worker = _start(where, package)
            if fault := _run_case(worker, case):
                faults.append(fault)
            else:
                ran += 1
            where.reporter.line(f"[{at}/{len(cases)}] {case.label}")
        worker.finish(_PATIENCE)
    finally:
        worker.close()  # where an interruption or a fault came before the finish
    if not ran:
        raise TrainError(
            f"none of the benchmarks in {suite} ran; the last one: {''.join(faults[-1:])}",
            next_step="try the suite on the PyPI wheels: spokeshave bench",
        )
    return ran, len(faults)


def _start(where: Workspace, suite: Path) -> Worker:
    cpus = pinned_cpus(Options())
    return Worker(Path(where.venv.python), suite, where.home / "work", cpus=cpus, extra=where.counting)


def _run_case(worker: Worker, case: Case) -> str:
    """Runs a case; returns its fault, or an empty text."""
    try:
        ready = worker.ask("prepare", timeout=_PATIENCE, name=case.benchmark, index=case.ours_index)
        number = ready["number"]
        seconds = worker.ask("measure", timeout=_PATIENCE, number=number or 1, fresh=False)["seconds"]
        if not number and (more := next_number(1, seconds, _CASE_SECONDS)) > 1:
            worker.ask("measure", timeout=_PATIENCE, number=more, fresh=False)
        worker.ask("teardown", timeout=_PATIENCE)
    except WorkerError as fault:
        return f"{case.label} {fault}"
    return ""


def run_tests(
    where: Workspace, tests: tuple[str, ...], verify: VerifyTable, runner: Runner, log: Path
) -> None:
    """Runs some of upstream's tests, which are in the install; `verify` checks whether they pass.

    The recipe's table names the slow ones and the options of upstream's tests.

    Raises TrainError if pytest itself fails, or loses a process with its profile data.
    """
    site, workers = where.venv.site, where.cpus
    lost: list[str] = []

    def look(line: str) -> None:
        lost.extend(word for word in _LOST if word in line)
        where.reporter.line(line)

    env = clean_environment(where.home, path=where.path, **_SAME_TESTS, **where.counting)
    argv = (
        *(where.venv.python, "-P", "-c", _PYTEST, *pytest_words(site)),
        *("-n", str(workers), "--continue-on-collection-errors", "--timeout", "600"),
        *("-m", verify.marker, *verify.options),
        *(str(site / test) for test in tests),
    )
    before = ended(where.counters)
    done = runner(Command(argv=argv, cwd=where.home, env=env, log=log, on_line=look))
    if not lost and ended(where.counters) < before + workers:
        lost.append(f"{workers} processes ran tests, and fewer wrote profile data")
    if lost or done.returncode not in (0, 1):
        tail = "\n  ".join(done.output.splitlines()[-4:])
        why = f"lost profile data ({lost[0]})" if lost else "did not run"
        raise TrainError(f"the tests for PGO profile collection {why}:\n  {tail}", log=log)
