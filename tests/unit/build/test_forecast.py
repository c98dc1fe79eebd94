"""What a build finds in the store, and how long the rest is said to take."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build import pipeline
from spokeshave.build.forecast import (
    STEPS,
    Forecast,
    about,
    estimate_of,
    keep_time,
    make_forecasts,
    past_times,
    read_times,
    summary,
)
from spokeshave.context import Context
from spokeshave.errors import RecipeError
from spokeshave.inside.model import BuildPlan
from spokeshave.machine.store import Store
from support import RECIPES, make_context, shipped_plan

COMMITTED = read_times(RECIPES / "numpy") or pytest.fail("recipes/numpy/times.toml is gone")


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def context(tmp_path: Path, said: io.StringIO) -> Context:
    return make_context(tmp_path, said=said, logs=tmp_path)


def put(context: Context, kind: str, key: str) -> None:
    context.store.put(kind, key, lambda new: (new / "a.whl").write_bytes(b"wheel"))


def forecast(context: Context, plan: BuildPlan, cpus: int = 2) -> Forecast:
    (found,) = make_forecasts(replace(context, cpus=cpus), (plan,))
    return found


def test_forecast_empty_store_estimates_by_the_recipe_s_data(context: Context) -> None:
    found = forecast(context, shipped_plan("numpy"), COMMITTED.cpus)
    assert found.stored == "nothing" and found.estimate
    assert found.estimate.seconds == COMMITTED.compile + COMMITTED.finish
    assert str(COMMITTED.date) in found.estimate.source
    assert found.to_json()["stored"] == {"wheel": False, "compile": False}


def test_forecast_more_cpus_shorter(context: Context) -> None:
    plan = shipped_plan("numpy")
    two, four = (forecast(context, plan, cpus).estimate for cpus in (2, 4))
    assert two and four and two.seconds == 2 * four.seconds


def test_forecast_compile_in_store_leaves_finishing(context: Context) -> None:
    plan = shipped_plan("numpy")
    put(context, "compiled", plan.compile_key)
    found = forecast(context, plan, COMMITTED.cpus)
    assert found.stored == "compile" and found.estimate
    assert found.estimate.seconds == COMMITTED.finish
    assert found.to_json()["stored"] == {"wheel": False, "compile": True}


def test_forecast_wheel_in_store_leaves_nothing(context: Context) -> None:
    plan = shipped_plan("numpy")
    put(context, "built", plan.digest)
    found = forecast(context, plan)
    assert found.stored == "wheel" and found.estimate and found.estimate.seconds == 0
    assert "the wheel is in the store" in str(found)


def test_forecast_library_s_wheel_without_its_compile_is_compiled_for_a_package(context: Context) -> None:
    """The finished library may lack symbols that the package links."""
    library, package = shipped_plan("openblas"), shipped_plan("numpy")
    put(context, "built", library.digest)
    first, second = make_forecasts(context, (library, package))
    compile_of = estimate_of(context, library, "compile", ())
    assert first.estimate == compile_of
    assert first.to_json()["stored"] == {"wheel": True, "compile": False}
    assert "the wheel is in the store, its compile, which others link, is not; compiling takes up to" in str(
        first
    )
    assert second.stored == "nothing"
    assert summary((first, second)).startswith("in the store: 1 of 2 wheels; the rest takes up to")
    assert "openblas" in summary((first, second))


@pytest.mark.parametrize(
    ("kind", "of"), [("compiled", "openblas"), ("compiled", "numpy"), ("built", "numpy")]
)
def test_forecast_library_s_wheel_without_a_need_for_its_compile_leaves_nothing(
    context: Context, kind: str, of: str
) -> None:
    plans = {name: shipped_plan(name) for name in ("openblas", "numpy")}
    put(context, "built", plans["openblas"].digest)
    put(context, kind, plans[of].digest if kind == "built" else plans[of].compile_key)
    assert make_forecasts(context, tuple(plans.values()))[0].stored == "wheel"


def test_forecast_longest_compile_of_this_machine_is_the_bound(context: Context) -> None:
    plan, full = shipped_plan("numpy"), shipped_plan("numpy", "full")
    keep_time(context, plan, "compile", 3000.0)
    keep_time(context, full, "compile", 12000.0)
    keep_time(context, shipped_plan("scipy"), "compile", 99900.0)
    host = replace(plan, environment=replace(plan.environment, engine="host"))
    keep_time(context, host, "compile", 50000.0)
    found = estimate_of(context, plan, "compile", past_times(context))
    assert found and found.seconds == 12000.0, "the longest of the recipe's, by the same engine"
    assert "the longest of 2 here" in found.source
    finish = estimate_of(replace(context, cpus=COMMITTED.cpus), plan, "finish", past_times(context))
    assert finish and finish.seconds == COMMITTED.finish, "none was kept of this step"


def test_forecast_compiles_with_ccache_do_not_lower_the_bound(context: Context) -> None:
    plan, one = shipped_plan("numpy"), replace(context, cpus=COMMITTED.cpus)
    for step in STEPS:
        keep_time(context, plan, step, 1.0)
    bound, finish = (estimate_of(one, plan, step, past_times(context)) for step in STEPS)
    assert bound and bound.seconds == COMMITTED.compile
    assert finish and finish.seconds < COMMITTED.finish


def test_forecast_prebuilt_compiles_nothing_and_unknown_is_said(context: Context) -> None:
    found = forecast(context, shipped_plan("scipy-openblas"))
    assert found.estimate is None
    assert "building takes an unknown time" in str(found)


def test_summary_counts_and_sums_up(context: Context) -> None:
    plans = [shipped_plan(name) for name in ("openblas", "numpy", "netlib")]
    put(context, "built", plans[0].digest)
    put(context, "compiled", plans[1].compile_key)
    told = summary(make_forecasts(replace(context, cpus=COMMITTED.cpus), plans))
    assert told == (
        f"in the store: 1 of 3 wheels; the rest takes about {about(COMMITTED.finish)} and more"
        f" (numpy {about(COMMITTED.finish)}, netlib unknown)"
    )
    assert summary(make_forecasts(context, plans[:1])) == "in the store: 1 of 1 wheels"


def test_make_forecasts_kept_times_are_read_once(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    entries = Store.entries

    def counted(store: Store, kind: str) -> object:
        reads.append(kind)
        return entries(store, kind)

    monkeypatch.setattr(Store, "entries", counted)
    make_forecasts(context, [shipped_plan(name) for name in ("openblas", "numpy", "scipy")])
    assert reads == ["timings"]


def test_summary_with_a_compile_is_an_upper_bound(context: Context) -> None:
    """ccache may have the object files: a compile of 21 minutes then takes one."""
    plan = shipped_plan("numpy")
    (one,) = make_forecasts(context, [plan])
    time = about(COMMITTED.compile + COMMITTED.finish)
    assert f"building takes up to {time} (" in str(one)
    assert summary([one]) == (
        f"in the store: 0 of 1 wheels; the rest takes up to {time} (numpy {time});"
        " less where ccache has object files"
    )
    put(context, "compiled", plan.compile_key)
    (one,) = make_forecasts(context, [plan])
    assert "finishing takes about" in str(one) and "ccache" not in summary([one])


def test_timed_step_is_kept_and_told(context: Context, said: io.StringIO) -> None:
    plan = shipped_plan("numpy")
    with pipeline._timed(context, plan, (), "finish", "finishing numpy"):
        pass
    assert "finishing numpy, about" in said.getvalue()
    found = estimate_of(context, plan, "finish", past_times(context))
    assert found and "the last one here" in found.source


def test_timed_step_that_fails_is_not_kept(context: Context) -> None:
    with (
        pytest.raises(ValueError, match="broken"),
        pipeline._timed(context, shipped_plan("numpy"), (), "compile", "x"),
    ):
        raise ValueError("broken")
    assert context.store.entries("timings") == []


def test_read_times_malformed_is_refused(tmp_path: Path) -> None:
    assert read_times(tmp_path) is None
    (tmp_path / "times.toml").write_text("cpus = 0\n")
    with pytest.raises(RecipeError, match=r"times\.toml is not valid"):
        read_times(tmp_path)


@pytest.mark.parametrize("name", [path.parent.name for path in RECIPES.glob("*/times.toml")])
def test_read_times_shipped_is_valid(name: str) -> None:
    assert read_times(RECIPES / name)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "1 s"), (41, "41 s"), (1300, "22 min"), (7900, "2 h 12 min")]
)
def test_about_rounds(seconds: float, told: str) -> None:
    assert about(seconds) == told


def test_timed_instrumented_compile_is_not_kept(context: Context) -> None:
    """It collects profile data, which takes longer."""
    plan = shipped_plan("numpy")
    counting = replace(plan, compile=replace(plan.compile, pgo="collect"))
    with pipeline._timed(context, counting, (), "compile", "compiling numpy"):
        pass
    assert context.store.entries("timings") == []


def test_forecast_row_of_another_version_is_passed_over(context: Context) -> None:
    row = {"recipe": "numpy", "step": "compile", "seconds": 1.0}
    context.store.put(
        "timings", "a" * 64, lambda new: (new / "time.json").write_text(json.dumps(row), "utf-8")
    )
    there = replace(context, cpus=COMMITTED.cpus)
    found = estimate_of(there, shipped_plan("numpy"), "compile", past_times(context))
    assert found and found.seconds == COMMITTED.compile
