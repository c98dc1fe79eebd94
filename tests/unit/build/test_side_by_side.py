"""Builds side by side: order, failures, and interrupts that end what runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from spokeshave.build.side_by_side import StoppableRunner, run_side_by_side
from spokeshave.inside.run import Command, Finished, run
from support import wait_until

NEEDS = {"blas": [], "numpy": ["blas"], "scipy": ["blas"], "pandas": []}


class Log:
    """Jobs that note when they start and end."""

    def __init__(self, **faults: BaseException) -> None:
        self.events: list[str] = []
        self.said: list[tuple[str, tuple[str, ...]]] = []
        self.stops = 0
        self._faults = faults

    def job(self, name: str, seconds: float = 0.02) -> Callable[[], str]:
        def work() -> str:
            self.events.append(f"+{name}")
            time.sleep(seconds)
            self.events.append(f"-{name}")
            if name in self._faults:
                raise self._faults[name]
            return name.upper()

        return work

    def run(self, needs: dict[str, list[str]] = NEEDS, lanes: int = 2, **seconds: float) -> dict[str, str]:
        jobs = {name: self.job(name, seconds.get(name, 0.02)) for name in needs}
        return run_side_by_side(jobs, needs, lanes=lanes, failed=self.failed, stop=self.stop)

    def failed(self, name: str, running: tuple[str, ...]) -> None:
        self.said.append((name, running))

    def stop(self) -> None:
        self.stops += 1


def test_side_by_side_libraries_come_first_and_results_keep_their_order() -> None:
    log = Log()
    assert list(log.run().items()) == [(name, name.upper()) for name in NEEDS]
    for name in ("numpy", "scipy"):
        assert log.events.index("-blas") < log.events.index(f"+{name}")


def test_side_by_side_two_run_at_once_and_never_three() -> None:
    log = Log()
    log.run({name: [] for name in "abcde"})
    running, most = 0, 0
    for event in log.events:
        running += 1 if event[0] == "+" else -1
        most = max(most, running)
    assert most == 2


def test_side_by_side_one_lane_is_the_order_of_the_plans() -> None:
    log = Log()
    log.run(lanes=1)
    assert log.events == [f"{sign}{name}" for name in NEEDS for sign in "+-"]


def test_side_by_side_failure_lets_the_others_end_and_starts_none() -> None:
    log = Log(blas=RuntimeError("no BLAS"))
    with pytest.raises(RuntimeError, match="no BLAS"):
        log.run(pandas=0.3)
    assert log.said == [("blas", ("pandas",))]
    assert sorted(log.events) == ["+blas", "+pandas", "-blas", "-pandas"]
    assert log.stops == 0


def test_side_by_side_need_that_no_job_provides_is_an_error() -> None:
    with pytest.raises(ValueError, match="numpy"):
        Log().run({"numpy": ["blas"]})


def test_side_by_side_interrupt_stops_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The main thread alone gets Ctrl-C; the commands of the other threads end at once."""
    runner = StoppableRunner(run)
    lines: list[str] = []

    def sleeps() -> Finished:
        return runner(Command(argv=("sh", "-c", "echo started; exec sleep 600"), on_line=lines.append))

    def interrupted(*args: object, **given: object) -> object:
        wait_until("both sleep", lambda: len(lines) == 2)
        raise KeyboardInterrupt

    monkeypatch.setattr("spokeshave.build.side_by_side.wait", interrupted)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_side_by_side(
            {"a": sleeps, "b": sleeps},
            {"a": [], "b": []},
            lanes=2,
            failed=lambda name, running: None,
            stop=runner.stop,
        )
    assert time.monotonic() - started < 60


def test_stoppable_runner_starts_nothing_after_stop() -> None:
    runner = StoppableRunner(run)
    assert runner(Command(argv=("true",))).ok
    runner.stop()
    with pytest.raises(KeyboardInterrupt):
        runner(Command(argv=("true",)))


def test_stoppable_runner_command_that_starts_during_the_stop_is_ended() -> None:
    entered, release = threading.Event(), threading.Event()

    def late(command: Command) -> Finished:
        entered.set()
        assert release.wait(60)
        return run(command)

    runner = StoppableRunner(late)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(runner, Command(argv=("sleep", "600")))
        assert entered.wait(60)
        runner.stop()
        release.set()
        assert ended.result(60).returncode != 0
