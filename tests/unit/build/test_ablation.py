"""What levers are weighed on. Compiling takes minutes: here a wheel weighs what its plan's levers leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build import ablation, pipeline
from spokeshave.build.delivery import Built
from spokeshave.context import Context, Request
from spokeshave.inside.levers import lever_named
from spokeshave.inside.model import BuildPlan, Target
from support import WHERE, make_context, write_wheel


def test_levers_are_weighed_on_untrained_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trained build beside one that no bundle fits would weigh the training as well."""
    context = make_context(tmp_path, logs=tmp_path)
    asked = Request(packages=("numpy",), profile="lean", target=Target())
    plans = pipeline.make_plans(context, asked, WHERE)
    built: list[BuildPlan] = []

    def build(_: Context, plans: tuple[BuildPlan, ...]) -> dict[str, Built]:
        built.extend(plan for plan in plans if plan.recipe == "numpy")
        return {plan.recipe: weighing(plan, tmp_path / f"{len(built)}.whl") for plan in plans}

    monkeypatch.setattr(pipeline, "build", build)
    ablation.measure(context, asked, plans)
    compiled = [setting.name for setting in plans[-1].levers if lever_named(setting.name).shave is None]
    assert {"link-time", "unwind"} <= set(compiled)
    assert built == [untrained(context, asked), *(untrained(context, asked, name) for name in compiled)]
    assert ablation.known(context, plans[-1]) == dict.fromkeys(compiled, 1000)
    count = len(built)
    ablation.measure(context, asked, plans)
    assert len(built) == count, "what has been weighed is not built again"


def weighing(plan: BuildPlan, path: Path) -> Built:
    wheel = write_wheel(path, {"numpy/a.bin": bytes(1000 * (100 - len(plan.levers)))})
    return Built(wheel=wheel, tests=None, record=wheel, digest=plan.digest, cached=False, seconds=0.0)


def untrained(context: Context, asked: Request, *without: str) -> BuildPlan:
    """The plan without a bundle and without a budget."""
    request = replace(asked, without=frozenset(without), trained=False)
    return replace(pipeline.make_plans(context, request, WHERE)[-1], budget=None)
