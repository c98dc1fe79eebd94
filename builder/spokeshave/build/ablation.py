"""What the levers of the compile save: by a build without one, and the difference in bytes.

Both builds are compiled without profile data, which fits one set of flags. The result is kept in the store
under the plan's digest, where the report finds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from spokeshave.build import pipeline
from spokeshave.context import Context, Request
from spokeshave.inside.levers import lever_named
from spokeshave.inside.model import BuildPlan, digest_of
from spokeshave.inside.sizes import sizes

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
    """Builds the requested packages, and once without each lever that acts on the compile alone."""
    for plan in plans:
        if plan.recipe not in request.packages:
            continue
        done = known(context, plan)
        compiled = [setting.name for setting in plan.levers if lever_named(setting.name).shave is None]
        missing = [name for name in compiled if name not in done]
        weight = _weight(context, request, plan, frozenset()) if missing else 0
        for name in missing:
            context.reporter.say(f"{plan.distribution}: building without lever {name}")
            saved = _weight(context, request, plan, frozenset({name})) - weight
            key = digest_of([plan.digest, name])
            context.store.put(_KIND, key, lambda new, value=saved: _write(new, value))  # type: ignore[misc]


def _weight(context: Context, request: Request, plan: BuildPlan, without: frozenset[str]) -> int:
    """Bytes unpacked of a build without profile data; what has been built is in the store."""
    one = replace(request, packages=(plan.recipe,), without=without)
    plans = pipeline.make_plans(context, one, plan.environment)
    return sizes(pipeline.build(context, _unbudgeted(plans))[plan.recipe].wheel).unpacked


def _unbudgeted(plans: tuple[BuildPlan, ...]) -> tuple[BuildPlan, ...]:
    """A build that leaves a lever off may be larger than its profile allows."""
    return tuple(replace(plan, budget=None) if plan.budget else plan for plan in plans)


def _write(folder: Path, saved: int) -> None:
    (folder / "saved.json").write_text(json.dumps(saved), "utf-8")
