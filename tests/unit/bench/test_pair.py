from collections.abc import Iterator
from typing import Any

import pytest

from spokeshave.bench.dialogue import WorkerError
from spokeshave.bench.model import SIDES, Case, Options, Side
from spokeshave.bench.pair import CaseError, Pair, Turn, next_number

CASE = Case(benchmark="m.f", params=("1",), ours_index=4, stock_index=2)


class FakeWorker:
    """A worker whose benchmark takes `cost` seconds a call."""

    def __init__(self, side: Side, log: list[tuple[Side, str, dict[str, object]]]) -> None:
        self.side: Side = side
        self.log = log
        self.cost = {"ours": 0.002, "stock": 0.001}[side]
        self.prepared: dict[str, Any] = {"number": 0, "setup_seconds": 0.0}
        self.faults: dict[str, WorkerError] = {}
        self.alive = True

    def ask(self, do: str, *, timeout: float, **values: object) -> dict[str, Any]:
        assert timeout > 0
        self.log.append((self.side, do, values))
        if do in self.faults:
            fault = self.faults[do]
            self.alive = fault.kind not in ("crashed", "timeout")
            raise fault
        if do == "prepare":
            return self.prepared
        if do == "measure":
            number = values["number"]
            assert isinstance(number, int)
            return {"seconds": number * self.cost}
        return {}

    def close(self) -> None:
        self.alive = False


class Bench:
    def __init__(self) -> None:
        self.log: list[tuple[Side, str, dict[str, object]]] = []
        self.started: list[FakeWorker] = []
        self.pair = Pair(self._start)

    def _start(self, side: Side) -> FakeWorker:
        self.started.append(FakeWorker(side, self.log))
        return self.started[-1]

    def worker(self, side: Side) -> FakeWorker:
        found = self.pair.worker(side)
        assert isinstance(found, FakeWorker)
        return found


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.pair.close()


@pytest.mark.parametrize(
    ("number", "seconds", "expected"),
    [
        (1, 0.0, 10),
        (1, 0.001, 5),
        (1, 0.0001, 10),
        (4, 0.0035, 4),
        (4, 0.0034, 6),
        (1, 9.0, 1),
        (10_000_000, 0.0, 10_000_000),
    ],
)
def test_next_number(number: int, seconds: float, expected: int) -> None:
    assert next_number(number, seconds, 0.005) == expected


def test_a_visit_samples_in_turns(bench: Bench) -> None:
    visit = Turn(bench.pair, CASE, Options()).take(rounds=2)
    assert visit.number == 5
    assert visit.ours == pytest.approx([0.002] * 4)
    assert visit.stock == pytest.approx([0.001] * 4)
    sampled = [side for side, do, values in bench.log if do == "measure" and values["fresh"]]
    turns = ("ours", "stock", "stock", "ours", "stock", "ours", "ours", "stock")
    assert sampled == list(turns)
    called = {
        side: [v["number"] for s, do, v in bench.log if do == "measure" and s == side] for side in SIDES
    }
    assert called["ours"] == called["stock"] == [1, 5, 5, 5, 5, 5], "memory of the same history"
    prepared = {side: values for side, do, values in bench.log if do == "prepare"}
    assert prepared["ours"] == {"name": "m.f", "index": 4}
    assert prepared["stock"] == {"name": "m.f", "index": 2}
    assert [(side, do) for side, do, _ in bench.log[-2:]] == [
        ("stock", "teardown"),
        ("ours", "teardown"),
    ]


def test_either_side_can_be_set_up_first(bench: Bench) -> None:
    for first in SIDES:
        bench.log.clear()
        Turn(bench.pair, CASE, Options(), first=first).take(rounds=1)
        assert bench.log[0][0] == first


def test_the_benchmarks_own_number_is_kept(bench: Bench) -> None:
    bench.worker("stock").prepared = {"number": 1, "setup_seconds": 9.0}
    assert Turn(bench.pair, CASE, Options()).take(rounds=1).number == 1
    measured = [values for _, do, values in bench.log if do == "measure"]
    assert all(values["number"] == 1 for values in measured)
    assert all(values["fresh"] for values in measured[2:]), "slow, but it may change its data"


def test_a_slow_setup_is_not_repeated_where_calls_are_repeated_anyway(bench: Bench) -> None:
    bench.worker("ours").prepared = {"number": 0, "setup_seconds": 0.5}
    Turn(bench.pair, CASE, Options()).take(rounds=1)
    assert sum(bool(values["fresh"]) for _, do, values in bench.log if do == "measure") == 0


def test_a_case_past_its_time_gets_one_round(bench: Bench) -> None:
    visit = Turn(bench.pair, CASE, Options(case_seconds=-1.0)).take(rounds=5)
    assert len(visit.ours) == len(visit.stock) == 2


def test_a_fault_names_every_side_that_has_it(bench: Bench) -> None:
    for side in ("ours", "stock"):
        bench.worker(side).faults["prepare"] = WorkerError("failed", f"no data on {side}")
    with pytest.raises(CaseError) as caught:
        Turn(bench.pair, CASE, Options()).take(rounds=1)
    assert [(f.side, f.kind, f.reason) for f in caught.value.faults] == [
        ("stock", "failed", "no data on stock"),
        ("ours", "failed", "no data on ours"),
    ]


def test_a_dead_worker_is_replaced_together_with_its_partner(bench: Bench) -> None:
    bench.worker("ours").faults["measure"] = WorkerError("crashed", "SIGSEGV")
    with pytest.raises(CaseError, match="SIGSEGV"):
        Turn(bench.pair, CASE, Options()).take(rounds=1)
    assert Turn(bench.pair, CASE, Options()).take(rounds=1).number == 5
    assert [worker.alive for worker in bench.started[-2:]] == [True, True]
    assert not any(worker.alive for worker in bench.started[:-2])
