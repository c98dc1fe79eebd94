"""Budgets that a build cannot keep, since it leaves off size options with which they were set.

A profile takes over the budgets of the one that it extends. A lever that it switches off, or that `--without`
leaves off, makes the wheels larger than those budgets were made for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spokeshave.build import ablation, pipeline
from spokeshave.context import Context, Request
from spokeshave.inside.model import BuildPlan, Environment
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.schema import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a record says of a plan's wheel, in bytes unpacked: its size, and lever name to bytes saved."""

    unpacked: int | None
    savings: Mapping[str, int]


def warnings(
    context: Context,
    request: Request,
    plans: tuple[BuildPlan, ...],
    recorded: Callable[[BuildPlan], Known],
) -> list[str]:
    """A line for each plan whose budget was set with levers that it leaves off, and that it may not keep.

    `recorded` looks up committed records. Where size and saved bytes are known and the sum is within the
    budget, there is no line.
    """
    profile = context.book.profile(request.profile)
    found = []
    bases: dict[str, dict[str, BuildPlan]] = {}
    for plan in plans:
        setter = _setter(context.book, profile, plan.distribution)
        if setter is None or (setter.name == profile.name and not request.without):
            continue
        if setter.name not in bases:
            bases[setter.name] = _base_plans(context, request, plan.environment, setter)
        base = bases[setter.name].get(plan.recipe)  # none where it has another BLAS
        if base and (left_off := _left_off(base, plan)):
            found.append(_line(context, plan, base, left_off, recorded))
    return [line for line in found if line]


def _setter(book: RecipeBook, profile: Profile, distribution: str) -> Profile | None:
    """The profile that a budget comes from, which may be one that it extends; None without a budget."""
    budget = profile.budgets.get(distribution)
    if budget is None:
        return None
    while profile.extends:
        base = book.profile(profile.extends)
        if base.budgets.get(distribution) != budget:
            break
        profile = base
    return profile


def _base_plans(
    context: Context, request: Request, where: Environment, setter: Profile
) -> dict[str, BuildPlan]:
    """The plans of the same packages with all that the budget's own profile has on, by recipe."""
    asked = replace(request, profile=_name(request, setter), without=frozenset())
    return {plan.recipe: plan for plan in pipeline.make_trained_plans(context, asked, where).plans}


def _name(request: Request, setter: Profile) -> str:
    """What finds the profile: the path that was given, or a name."""
    path = Path(request.profile)
    return request.profile if (path.stem, path.suffix) == (setter.name, ".toml") else setter.name


def _left_off(base: BuildPlan, plan: BuildPlan) -> list[str]:
    on = {setting.name for setting in plan.levers}
    return [setting.name for setting in base.levers if setting.name not in on]


def _line(
    context: Context,
    plan: BuildPlan,
    base: BuildPlan,
    left_off: list[str],
    recorded: Callable[[BuildPlan], Known],
) -> str:
    """The warning; empty where the numbers show that the budget is kept."""
    assert plan.budget is not None
    known = _evidence(context, base, recorded)
    own = _record(context, plan)
    saved = [known.savings[name] for name in left_off if name in known.savings]
    if own:
        least, exact = own["unpacked"]["finished"], True
    else:
        least, exact = known.unpacked and known.unpacked + sum(saved), len(saved) == len(left_off)
    if exact and least is not None and least <= plan.budget:
        return ""
    size = "is larger" if least is None else f"takes {'' if exact else 'more than '}{least:,} bytes"
    more = len(plan.removed) - len(base.removed)
    cure = f"give [budgets] in profile {plan.profile!r} a separate number"
    if plan.profile == base.profile:
        cure = f"extend {plan.profile!r} in a profile of your own, with [levers] and [budgets]"
    less = f", less what {more} more removed components take" if more > 0 and not own else ""
    return (
        f"warning: {plan.distribution}: its budget of {plan.budget:,} bytes was set in profile"
        f" {base.profile!r} with {', '.join(left_off)}; without, the wheel {size}{less}: {cure}"
    )


def _evidence(context: Context, base: BuildPlan, recorded: Callable[[BuildPlan], Known]) -> Known:
    """What committed records, former builds and ablations here say of the base's wheel."""
    known, record = recorded(base), _record(context, base)
    rows = {row["name"]: row["saved"] for row in record.get("levers", ())}
    return Known(
        unpacked=record["unpacked"]["finished"] if record else known.unpacked,
        savings={**known.savings, **ablation.known(context, base), **rows},
    )


def _record(context: Context, plan: BuildPlan) -> dict[str, Any]:
    """The record of a plan's finished wheel in the store; empty where there is none."""
    entry = context.store.get("built", plan.digest)
    found: dict[str, Any] = json.loads((entry / "record.json").read_text("utf-8")) if entry else {}
    return found
