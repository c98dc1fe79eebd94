"""Records of proofs: what a recipe under a profile was shown to do, committed beside the project.

A record holds for everything that the recipe and the profile say (`BuildPlan.recipe_digest`), so that
neither can change without its proof being made again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spokeshave import __version__
from spokeshave.model import BuildPlan
from spokeshave.trial import Candidate, stock_pins
from spokeshave.verify import VerifyReport
from spokeshave.weigh import sizes


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A recipe under a profile that has no passing record, and why."""

    recipe: str
    profile: str
    why: str


def record_path(folder: Path, recipe: str, profile: str) -> Path:
    """Where the record of a recipe under a profile lies."""
    return folder / profile / f"{recipe}.json"


def write_record(
    folder: Path, candidate: Candidate, report: VerifyReport, savings: Mapping[str, int]
) -> Path:
    """Writes the record of a verification, whatever its verdict; sizes are in bytes.

    `savings` are what builds without a lever have shown (`spokeshave measure`): lever name to bytes.
    """
    plan = candidate.plan
    size = sizes(candidate.wheel)
    result = report.comparison or {}
    record = {
        "recipe": plan.recipe,
        "profile": plan.profile,
        "target": plan.target.identifier,
        "recipe_digest": plan.recipe_digest,
        "plan": plan.digest,
        "engine": plan.environment.engine,
        "tool": __version__,
        "wheel": {
            "name": candidate.wheel.name,
            "sha256": report.sha256,
            "bytes": size.wheel,
            "unpacked": size.unpacked,
        },
        "stock": {pin.distribution: pin.version for pin in stock_pins(candidate)},
        "with": sorted(path.name for path in candidate.companions),
        "level": report.level,
        "passed": report.passed,
        "imported": report.imported,
        "outcomes": {side: result.get(side, {}) for side in ("ours", "stock")},
        "lost": [loss["test"] for loss in result.get("losses", ())],
        "failing on stock too": len(result.get("both_failed", ())),
        "left out": {reason: len(tests) for reason, tests in result.get("skipped", {}).items()},
        "removed": {part: len(tests) for part, tests in result.get("removed", {}).items()},
        "savings": dict(savings),
        "flaky": {test: list(outcomes) for test, outcomes in report.flaky.items()},
    }
    path = record_path(folder, plan.recipe, plan.profile)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
    return path


def record_savings(folder: Path, plan: BuildPlan, savings: Mapping[str, int]) -> bool:
    """Adds what levers saved to the record of the plan's recipe; says whether there is one that fits."""
    path = record_path(folder, plan.recipe, plan.profile)
    record = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if record.get("recipe_digest") != plan.recipe_digest:
        return False
    record["savings"] = {**record["savings"], **savings}
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
    return True


def recorded_savings(folders: Iterable[Path], plan: BuildPlan) -> dict[str, int]:
    """Lever name to bytes saved, from the first folder with a record that fits the plan's recipe."""
    for folder in folders:
        path = record_path(folder, plan.recipe, plan.profile)
        if path.is_file():
            record = json.loads(path.read_text("utf-8"))
            if record["recipe_digest"] == plan.recipe_digest:
                savings: dict[str, int] = record["savings"]
                return savings
    return {}


def fault_of(folder: Path, plan: BuildPlan) -> Fault | None:
    """Why a plan has no proof at level full, or nothing where it has one."""
    path = record_path(folder, plan.recipe, plan.profile)
    why = _why_not(path, plan)
    return Fault(recipe=plan.recipe, profile=plan.profile, why=why) if why else None


def _why_not(path: Path, plan: BuildPlan) -> str:
    if not path.is_file():
        return "there is no record"
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if record["recipe_digest"] != plan.recipe_digest:
        return "the recipe or the profile has changed since"
    if record["level"] != "full" or not record["passed"]:
        return f"the record is of level {record['level']} and {'passed' if record['passed'] else 'failed'}"
    return ""
