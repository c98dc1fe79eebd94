"""What PyPI's wheels do is tried once: its outcomes are kept for the same wheels, tests, place and prover."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from spokeshave.build.wheelhouse import BuiltWheel, Candidate
from spokeshave.context import Context
from spokeshave.inside.run import Command, Finished, run
from spokeshave.sources.stock import StockPin
from spokeshave.verify.trial import Trial
from support import demo_files, make_context, shipped_plan, write_wheel


@dataclass
class CountingPlace:
    """Writes the outcomes of one test, and counts how often it was asked."""

    digest: str = "place"
    jobs: list[dict[str, object]] = field(default_factory=list)

    def prove(self, kit: Path, output: Path, log: Path) -> Finished:
        self.jobs.append(json.loads((kit / "job.json").read_text()))
        output.mkdir(parents=True)
        outcomes = {f"numpy/test_a.py::test_{len(self.jobs)}": ["passed", ""]}
        (output / "outcomes.json").write_text(json.dumps(outcomes))
        return run(Command(argv=("true",)))


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """With a store of its own; what would be fetched is a small wheel."""
    wheel = write_wheel(tmp_path / "numpy-2.4.6-cp311-cp311-linux_x86_64.whl", demo_files("numpy", "2.4.6"))
    monkeypatch.setattr("spokeshave.verify.trial.stock_wheel", lambda context, pin, target: wheel)
    monkeypatch.setattr("spokeshave.verify.trial.fetch_locked", lambda context, lock, target: ())
    return make_context(tmp_path)


def trial(context: Context, profile: str = "lean") -> Trial:
    own = BuiltWheel(path=Path("ours.whl"), sha256="0" * 64, plan=shipped_plan("numpy", profile), tests=None)
    candidate = Candidate(own=own, loaded=context.book.load("numpy"), companions=())
    return Trial(context=context, candidate=candidate, level="smoke")


def test_stock_smoke_second_time_is_taken_from_the_store(context: Context) -> None:
    place = CountingPlace()
    first = trial(context).stock(place)
    shutil.rmtree(context.logs, ignore_errors=True)
    assert trial(context).stock(place) == first
    assert len(place.jobs) == 1


def test_stock_smoke_other_profile_takes_the_same_outcomes(context: Context) -> None:
    place = CountingPlace()
    assert trial(context, "full").stock(place) == trial(context).stock(place)
    assert len(place.jobs) == 1


def test_stock_smoke_other_number_of_cpus_takes_the_same_outcomes(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = CountingPlace()
    for cpus in (2, 64):
        monkeypatch.setattr("os.sched_getaffinity", lambda pid, count=cpus: set(range(count)))
        trial(context).stock(place)
    assert [job["workers"] for job in place.jobs] == [2]


@pytest.mark.parametrize("what", ["wheel", "prover", "place"])
def test_stock_smoke_changed_wheel_prover_or_place_is_tried_again(
    context: Context, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    place = CountingPlace()
    first = trial(context).stock(place)
    if what == "wheel":
        pin = StockPin(distribution="numpy", version="2.4.6", sha256="0" * 64)
        monkeypatch.setattr("spokeshave.verify.trial.stock_pins", lambda candidate: (pin,))
    elif what == "prover":
        monkeypatch.setattr("spokeshave.own_code.code_digest", lambda stage: "another")
    else:
        place = replace(place, digest="another")
    again = trial(context).stock(place)
    assert len(place.jobs) == 2
    assert again.outcomes != first.outcomes


@pytest.mark.parametrize(("profile", "skipped"), [("lean", False), ("netlib", True)])
def test_trial_a_skip_for_32_bit_integers_holds_where_the_blas_has_them(
    context: Context, profile: str, skipped: bool
) -> None:
    found = {skip.test.rpartition("::")[2] for skip in trial(context, profile).skips()}
    assert ("test_blas64_geqrf_lwork_smoketest" in found) is skipped
