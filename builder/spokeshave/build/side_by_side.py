"""Builds side by side: where one leaves a CPU idle (configuring, linking, packing), another uses it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeVar

from spokeshave.inside.run import Command, Finished, Runner, end_session

T = TypeVar("T")

LANES = 2  # each build uses all CPUs already; a third one finds none idle
_GRACE_SECONDS = 60.0  # cibuildwheel needs up to 30 s to stop and remove its container


class StoppableRunner:
    """A runner for threads. `stop` ends the commands that it has started; it starts no other after that."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._stopped = False

    def __call__(self, command: Command) -> Finished:
        """Runs a command; raises KeyboardInterrupt once the runner is stopped."""
        mine: list[int] = []

        def note(pid: int) -> None:
            mine.append(pid)
            with self._lock:
                self._running.add(pid)
                stopped = self._stopped
            if stopped:  # between the check below and the start
                _interrupt(pid)

        if self._stopped:
            raise KeyboardInterrupt
        try:
            return self._runner(replace(command, on_start=note))
        finally:
            with self._lock:
                self._running.difference_update(mine)

    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """Interrupts all running commands, and kills what is left of them after a minute."""
        with self._lock:
            self._stopped = True
            running = set(self._running)
        for pid in running:
            _interrupt(pid)
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._running and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in set(self._running):
            end_session(pid)


def _interrupt(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGINT)


def run_side_by_side(
    jobs: Mapping[str, Callable[[], T]],
    needs: Mapping[str, Sequence[str]],
    *,
    lanes: int,
    failed: Callable[[str, tuple[str, ...]], None],
    stop: Callable[[], None],
) -> dict[str, T]:
    """Runs each job once the jobs that it needs are done, `lanes` at a time; returns the results by name.

    After a failure no other job starts. Running ones continue to their end, since their results are kept:
    `failed` gets the name of the failed job and theirs. Then the first failure is raised. An interrupt calls
    `stop`, which has to end the running jobs, and is passed on. Raises ValueError if a need is no job's name.
    """
    done: dict[str, T] = {}
    running: dict[Future[T], str] = {}
    left = dict(jobs)
    faults: list[BaseException] = []
    with ThreadPoolExecutor(lanes) as pool:
        try:
            while running or (left and not faults):
                ready = [name for name in left if set(needs[name]) <= set(done)] if not faults else []
                for name in ready[: lanes - len(running)]:
                    running[pool.submit(left.pop(name))] = name
                if not running:
                    raise ValueError(f"nothing provides what {', '.join(left)} need")
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    name = running.pop(future)
                    if fault := future.exception():
                        faults.append(fault)
                        failed(name, tuple(running.values()))
                    else:
                        done[name] = future.result()
        except BaseException:
            stop()
            raise
    if faults:
        raise faults[0]
    return {name: done[name] for name in jobs}
