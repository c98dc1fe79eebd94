"""What the levers of the compile save: by building without one and weighing the difference.

The result is kept in the store under the plan's digest, where the report finds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from spokeshave import pipeline
from spokeshave.context import Context, Request
from spokeshave.levers import lever
from spokeshave.model import BuildPlan, digest_of
from spokeshave.weigh import sizes

_KIND = "measured"


def known(context: Context, plan: BuildPlan) -> Mapping[str, int]:
    """Lever name to bytes saved, as far as builds without that lever have been made."""
    entries = {
        setting.name: context.store.get(_KIND, digest_of([plan.digest, setting.name]))
        for setting in plan.levers
    }
    return {
        name: int(json.loads((entry / "saved.json").read_text("utf-8")))
        for name, entry in entries.items()
        if entry is not None
    }


def measure(context: Context, request: Request, plans: tuple[BuildPlan, ...]) -> None:
    """Builds the requested packages once without each lever that acts on the compile alone."""
    built = pipeline.build(context, plans)
    for plan in plans:
        if plan.recipe not in request.packages:
            continue
        for setting in plan.levers:
            if lever(setting.name).shave is not None:
                continue
            key = digest_of([plan.digest, setting.name])
            if context.store.get(_KIND, key) is not None:
                continue
            context.reporter.say(f"{plan.distribution}: building without lever {setting.name}")
            one = replace(request, packages=(plan.recipe,), without=frozenset({setting.name}))
            variants = pipeline.make_plans(context, one, plan.environment)
            variant = pipeline.build(context, _unbudgeted(variants))[plan.recipe]
            saved = sizes(variant.wheel).unpacked - sizes(built[plan.recipe].wheel).unpacked
            context.store.put(_KIND, key, lambda new, value=saved: _write(new, value))  # type: ignore[misc]


def _unbudgeted(plans: tuple[BuildPlan, ...]) -> tuple[BuildPlan, ...]:
    """A build that leaves a lever off may be larger than its profile allows."""
    return tuple(replace(plan, budget=None) if plan.budget else plan for plan in plans)


def _write(folder: Path, saved: int) -> None:
    (folder / "saved.json").write_text(json.dumps(saved), "utf-8")
