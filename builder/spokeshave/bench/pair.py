"""A pair of worker processes, one a side: one visit times one case on both, interleaved."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from spokeshave.bench.dialogue import WorkerError
from spokeshave.bench.model import SIDES, Case, Fault, Measured, Options, Side, Visit

_MOST_CALLS = 10_000_000
_SLOW_SETUP = 0.1  # seconds
_TURNS: tuple[tuple[Side, ...], ...] = (
    ("ours", "stock", "stock", "ours"),
    ("stock", "ours", "ours", "stock"),
)


class Talker(Protocol):
    """The seam to a worker process."""

    @property
    def alive(self) -> bool: ...
    def ask(self, do: str, *, timeout: float, **values: object) -> dict[str, Any]: ...
    def close(self) -> None: ...


class CaseError(Exception):
    """A case that could not be measured, with the fault of each side that had one."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{f.side} {f.kind}: {f.reason}" for f in faults))
        self.faults = faults


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """A prepared benchmark: its own `number` (0: free), seconds of setup and of a first call."""

    number: int
    setup_seconds: float
    first_seconds: float


def next_number(number: int, seconds: float, target: float) -> int:
    """The calls to try next after `number` calls took `seconds`; the same number if that is enough.

    Grows at most tenfold, since first calls are slower than later ones.
    """
    if seconds >= 0.7 * target or number >= _MOST_CALLS:
        return number
    factor = 10.0 if seconds <= 0 else min(10.0, max(1.5, target / seconds))
    return min(_MOST_CALLS, max(number + 1, int(number * factor)))


class Pair:
    """The two processes. They are replaced together, so that both always have the same age."""

    def __init__(self, start: Callable[[Side], Talker]) -> None:
        self._start = start
        self._workers: dict[Side, Talker] = {}

    def close(self) -> None:
        """Ends both processes."""
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def worker(self, side: Side) -> Talker:
        """The side's process, which is started if it does not run."""
        if any(not worker.alive for worker in self._workers.values()):
            self.close()
        if side not in self._workers:
            self._workers[side] = self._start(side)
        return self._workers[side]


class Turn:
    """One visit to one case, within `options.timeout` seconds in all."""

    def __init__(self, pair: Pair, case: Case, options: Options, *, first: Side = "stock") -> None:
        """`first` is the side that is set up first; callers alternate it to spread its advantage."""
        self._sides = SIDES if first == SIDES[0] else SIDES[::-1]
        self._pair = pair
        self._case = case
        self._options = options
        self._started = time.monotonic()

    def take(self, rounds: int) -> Visit:
        """Sets up on both sides, finds the number of calls on the other side, then samples interleaved.

        Raises CaseError. Ctrl-C does not wait for the running call; there is no teardown then.
        """
        try:
            ready = self._prepare()
            number = ready["stock"].number or self._calibrate(ready["stock"].first_seconds)
            visit = self._rounds(rounds, number, ready)
        except CaseError:
            self._teardown()
            raise
        self._teardown()
        return visit

    def _teardown(self) -> None:
        for side in self._sides:
            with contextlib.suppress(WorkerError, CaseError):
                self._ask(side, "teardown")

    def _ask(self, side: Side, do: str, **values: object) -> dict[str, Any]:
        left = self._started + self._options.timeout - time.monotonic()
        try:
            return self._pair.worker(side).ask(do, timeout=max(1.0, left), **values)
        except WorkerError as fault:
            raise CaseError(
                Fault(case=self._case, side=side, kind=fault.kind, reason=fault.reason)
            ) from fault

    def _sample(self, side: Side, number: int, *, fresh: bool) -> float:
        seconds: float = self._ask(side, "measure", number=number, fresh=fresh)["seconds"]
        return seconds

    def _prepare(self) -> dict[Side, Ready]:
        """Sets up and calls once on both sides; on both, so that a fault names all it concerns."""
        ready: dict[Side, Ready] = {}
        faults: list[Fault] = []
        for side in self._sides:
            try:
                answer = self._ask(side, "prepare", name=self._case.benchmark, index=self._case.index(side))
                first = self._sample(side, 1, fresh=False)
            except CaseError as failed:
                faults += failed.faults
                continue
            ready[side] = Ready(
                number=answer["number"],
                setup_seconds=answer["setup_seconds"],
                first_seconds=first,
            )
        if faults:
            raise CaseError(*faults)
        return ready

    def _calibrate(self, first_seconds: float) -> int:
        """The number of calls per sample, found on the other side.

        Ours is called just as often, so that it is as warm and its memory has the same history: earlier
        frees decide the addresses of the next arrays.
        """
        number, target = 1, self._options.sample_seconds
        proposed = next_number(number, first_seconds, target)
        while proposed != number:
            number = proposed
            taken = {side: self._sample(side, number, fresh=False) for side in self._sides}
            proposed = next_number(number, taken["stock"], target)
        return number

    def _rounds(self, rounds: int, number: int, ready: dict[Side, Ready]) -> Visit:
        # Setup runs again before every sample, as in ASV. A slow setup does not if a sample has several
        # calls: such a benchmark is called again on its own results in any case.
        slow = max(side.setup_seconds for side in ready.values()) > _SLOW_SETUP
        fresh = not (slow and number > 1)
        samples: dict[Side, list[float]] = {"ours": [], "stock": []}
        for side in self._order(rounds):
            samples[side].append(self._sample(side, number, fresh=fresh) / number)
        return Visit(number=number, ours=tuple(samples["ours"]), stock=tuple(samples["stock"]))

    def _order(self, rounds: int) -> Iterator[Side]:
        """A B B A, B A A B, … until all rounds are done or the case has had its time."""
        for turn in range(rounds):
            if turn and time.monotonic() - self._started > self._options.case_seconds:
                return
            yield from _TURNS[turn % 2]


def measured_case(
    pair: Pair, case: Case, options: Options, *, rounds: int, turn: int
) -> Iterator[Measured | Fault]:
    """One visit to a case, or the fault of each side that has one; `turn` alternates the first side."""
    visit = Turn(pair, case, options, first=SIDES[turn % 2])
    try:
        yield Measured(case=case, visit=visit.take(rounds))
    except CaseError as failed:
        yield from failed.faults
