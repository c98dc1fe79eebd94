import timeit
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from spokeshave.bench import worker


class FakeTimer:
    """Says that the calls took 9.5 seconds."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self.timer = timer

    def timeit(self, number: int) -> float:
        return 9.5


@pytest.mark.parametrize(
    ("stolen", "expected"),
    [(0.0, 9.5), (0.4, 9.5), (3.0, 7.0)],
    ids=["undisturbed", "perhaps outside the timed part", "in the timed part"],
)
def test_time_that_others_had_is_taken_off(
    monkeypatch: pytest.MonkeyPatch, stolen: float, expected: float
) -> None:
    clock, waits = iter([0.0, 10.0]), iter([1.0, 1.0 + stolen])
    monkeypatch.setattr(worker, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(worker, "waited", lambda: next(waits))
    assert worker._timed(FakeTimer(timeit.default_timer), 1) == pytest.approx(expected)


def test_a_timer_of_the_benchmarks_own_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([0.0, 100.0])
    monkeypatch.setattr(worker, "waited", lambda: next(waits))
    assert worker._timed(FakeTimer(lambda: 0.0), 1) == 9.5


def test_what_several_threads_wait_for_may_be_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([0.0, 9.0])
    monkeypatch.setattr(worker, "waited", lambda: next(waits))
    assert worker._timed(FakeTimer(timeit.default_timer), 1, threads=2) == 9.5


def test_waiting_never_shrinks() -> None:
    before = worker.waited()
    assert 0 <= before <= worker.waited()
