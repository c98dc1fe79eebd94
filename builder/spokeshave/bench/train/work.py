"""The training work: benchmarks and tests run in an install whose code counts what it runs.

Counters are written when a process ends, and added to what is there: no process may be killed before.
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
# What pytest-xdist says where a process was lost with its counters, or the processes found different tests;
# its exit code is then that of a failed test.
_LOST = ("node down", "crashed while running", "Different tests were collected")
_SAME_TESTS = {"PYTHONHASHSEED": "0"}  # parametrised over sets, in every process
# pytest-xdist kills a process that takes 10 s to end: pandas' takes longer, and had written no counters.
_PYTEST = """
import sys, pytest
class Patient:
    def pytest_configure(self):
        import xdist.workermanage
        xdist.workermanage.NodeManager.EXIT_TIMEOUT = None
sys.exit(pytest.main(sys.argv[1:], plugins=[Patient()]))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the work is done, and what the processes see.

    `counters` is where they write what they count, `path` the value of PATH, `cpus` how many run at once.
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
        """What tells libgcov, too."""
        return {**self.env, "GCOV_PREFIX": str(self.counters)}


def run_suite(place: Place, suite: Path, seconds: float) -> tuple[int, int]:
    """Runs cases of a suite for so many seconds, every function once before any twice.

    Returns how many ran, and how many did not. Raises TrainError where none did.
    """
    package = copied(suite, place.home)
    worker = _start(place, package)
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
                worker = _start(place, package)
            if fault := _run_case(worker, case):
                faults.append(fault)
            else:
                ran += 1
            place.reporter.line(f"[{at}/{len(cases)}] {case.label}")
        worker.finish(_PATIENCE)
    finally:
        worker.close()  # where an interruption or a fault came before the finish
    if not ran:
        raise TrainError(
            f"none of the benchmarks in {suite} ran; the last one: {''.join(faults[-1:])}",
            next_step="try the suite on stock wheels: spokeshave bench",
        )
    return ran, len(faults)


def _start(place: Place, suite: Path) -> Worker:
    cpus = pinned_cpus(Options())
    return Worker(Path(place.venv.python), suite, place.home / "work", cpus=cpus, extra=place.counting)


def _run_case(worker: Worker, case: Case) -> str:
    """Runs a case; what went wrong, if anything did."""
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


def run_tests(place: Place, tests: tuple[str, ...], verify: VerifyTable, runner: Runner, log: Path) -> None:
    """Runs some of upstream's tests, which lie in the install; whether they pass is for `verify` to say.

    The recipe's table says which are slow, and what options upstream's tests want.

    Raises TrainError where pytest itself does not get that far, or loses a process with its counters.
    """
    site, workers = place.venv.site, place.cpus
    lost: list[str] = []

    def look(line: str) -> None:
        lost.extend(word for word in _LOST if word in line)
        place.reporter.line(line)

    env = clean_environment(place.home, path=place.path, **_SAME_TESTS, **place.counting)
    argv = (
        *(place.venv.python, "-P", "-c", _PYTEST, *pytest_words(site)),
        *("-n", str(workers), "--continue-on-collection-errors", "--timeout", "600"),
        *("-m", verify.marker, *verify.options),
        *(str(site / test) for test in tests),
    )
    before = ended(place.counters)
    done = runner(Command(argv=argv, cwd=place.home, env=env, log=log, on_line=look))
    if not lost and ended(place.counters) < before + workers:
        lost.append(f"{workers} processes ran tests, and fewer wrote what they counted")
    if lost or done.returncode not in (0, 1):
        tail = "\n  ".join(done.output.splitlines()[-4:])
        why = f"lost counters ({lost[0]})" if lost else "did not run"
        raise TrainError(f"the tests of the training {why}:\n  {tail}", log=log)
