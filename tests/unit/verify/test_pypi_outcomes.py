"""PyPI wheels run once: the outcomes are kept for the same wheels, tests, environment and test runner."""

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
from spokeshave.verify.paired_run import PairedRun
from support import demo_files, make_context, shipped_plan, write_wheel


@dataclass
class CountingEnvironment:
    """Writes the outcomes of one test, and counts how often it was asked."""

    digest: str = "environment"
    jobs: list[dict[str, object]] = field(default_factory=list)

    def run_job(self, folder: Path, output: Path, log: Path) -> Finished:
        self.jobs.append(json.loads((folder / "job.json").read_text()))
        output.mkdir(parents=True)
        outcomes = {f"numpy/test_a.py::test_{len(self.jobs)}": ["passed", ""]}
        (output / "outcomes.json").write_text(json.dumps(outcomes))
        return run(Command(argv=("true",)))


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """With a separate store; the PyPI wheel is a small one."""
    wheel = write_wheel(tmp_path / "numpy-2.4.6-cp311-cp311-linux_x86_64.whl", demo_files("numpy", "2.4.6"))
    monkeypatch.setattr("spokeshave.verify.pypi_outcomes.stock_wheel", lambda context, pin, target: wheel)
    monkeypatch.setattr("spokeshave.verify.paired_run.fetch_locked", lambda context, lock, target: ())
    return make_context(tmp_path)


def paired(context: Context, profile: str = "lean") -> PairedRun:
    own = BuiltWheel(path=Path("ours.whl"), sha256="0" * 64, plan=shipped_plan("numpy", profile), tests=None)
    candidate = Candidate(own=own, loaded=context.book.load("numpy"), companions=())
    return PairedRun(context=context, candidate=candidate, level="smoke")


def test_kept_outcomes_second_run_is_taken_from_the_store(context: Context) -> None:
    environment = CountingEnvironment()
    first = paired(context).stock(environment)
    shutil.rmtree(context.logs, ignore_errors=True)
    assert paired(context).stock(environment) == first
    assert len(environment.jobs) == 1


def test_kept_outcomes_other_profile_takes_the_same_outcomes(context: Context) -> None:
    environment = CountingEnvironment()
    assert paired(context, "full").stock(environment) == paired(context).stock(environment)
    assert len(environment.jobs) == 1


def test_kept_outcomes_other_number_of_cpus_takes_the_same_outcomes(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = CountingEnvironment()
    for cpus in (2, 64):
        monkeypatch.setattr("os.sched_getaffinity", lambda pid, count=cpus: set(range(count)))
        paired(context).stock(environment)
    assert [job["workers"] for job in environment.jobs] == [2]


@pytest.mark.parametrize("what", ["wheel", "runner", "environment"])
def test_kept_outcomes_changed_wheel_runner_or_environment_runs_again(
    context: Context, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    environment = CountingEnvironment()
    first = paired(context).stock(environment)
    if what == "wheel":
        pin = StockPin(distribution="numpy", version="2.4.6", sha256="0" * 64)
        monkeypatch.setattr("spokeshave.verify.pypi_outcomes.stock_pins", lambda candidate: (pin,))
    elif what == "runner":
        monkeypatch.setattr("spokeshave.own_code.code_digest", lambda stage: "another")
    else:
        environment = replace(environment, digest="another")
    again = paired(context).stock(environment)
    assert len(environment.jobs) == 2
    assert again.outcomes != first.outcomes


@pytest.mark.parametrize(("profile", "skipped"), [("lean", False), ("netlib", True)])
def test_skips_for_32_bit_integers_hold_where_the_blas_has_them(
    context: Context, profile: str, skipped: bool
) -> None:
    found = {skip.test.rpartition("::")[2] for skip in paired(context, profile).skips()}
    assert ("test_blas64_geqrf_lwork_smoketest" in found) is skipped
