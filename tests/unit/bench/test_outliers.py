"""Outliers and their re-measurement, without processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from spokeshave.bench import outliers as module
from spokeshave.bench.budget import Budget
from spokeshave.bench.model import Case, Measured, Options, Visit
from spokeshave.bench.outliers import method_of, outliers, remeasured
from spokeshave.bench.pair import Pair


def measured(name: str, ratio: float) -> Measured:
    visit = Visit(number=1, ours=(ratio,) * 2, stock=(1.0,) * 2)
    return Measured(case=Case(benchmark=name), visit=visit)


RATIOS = {"near": 1.05, "slow": 1.12, "slowest": 1.5, "fastest": 0.4}


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Records name, rounds and number of the visit instead of timing a case."""
    found: list[tuple[str, int, int]] = []

    def fake(pair: Pair, case: Case, options: Options, *, rounds: int, turn: int) -> Iterator[Measured]:
        found.append((case.label, rounds, turn))
        yield measured(case.label, 1.0)

    monkeypatch.setattr(module, "measured_case", fake)
    return found


def ended(seconds: float) -> Budget:
    """A budget of so many seconds that began now."""
    return Budget(started=time.monotonic(), seconds=seconds)


def no_process(side: Any) -> Any:
    raise AssertionError("no process is needed")


def test_outliers_order_is_by_distance_from_one() -> None:
    records = [measured(name, ratio) for name, ratio in RATIOS.items()]
    assert [case.label for case in outliers(records, method_of(Options()).far)] == [
        "fastest",
        "slowest",
        "slow",
    ]
    slow = method_of(Options(exhaustive=True)).far
    assert [case.label for case in outliers(records, slow)] == ["slowest"]


def test_remeasured_with_time_visits_each_outlier_in_each_pair(visits: list[tuple[str, int, int]]) -> None:
    far = {Case(benchmark="slow"): 1.12, Case(benchmark="slowest"): 1.5}
    done = [at for at, _ in remeasured(Pair(no_process), far, method_of(Options(rounds=3)), ended(60))]
    assert done == list(range(1, 2 * 2 + 1))
    assert [name for name, _, _ in visits] == ["slow", "slowest"] * 2
    assert {rounds for _, rounds, _ in visits} == {6}, "twice as many as the first pass"


def test_remeasured_beyond_the_budget_visits_far_ones_once(visits: list[tuple[str, int, int]]) -> None:
    far = {Case(benchmark=name): RATIOS[name] for name in ("fastest", "slowest", "slow")}
    list(remeasured(Pair(no_process), far, method_of(Options()), ended(0)))
    assert [name for name, _, _ in visits] == ["fastest", "slowest"]


def test_method_of_exhaustive_is_quick_first_and_thorough_again() -> None:
    asked = Options(exhaustive=True)
    method = method_of(asked)
    assert method.again == asked and method.pairs == 3
    assert method.first.rounds < asked.rounds and method.first.case_seconds < asked.case_seconds
    assert [method.far(ratio) for ratio in (0.5, 1.15, 1.16)] == [False, False, True]
