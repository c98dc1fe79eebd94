"""Committed verification records: the results of a recipe under a profile.

A record covers all that the recipe and the profile say of the build and of its verification. It also covers
the recipes of the wheels that were installed with it. A change of any of them asks for a new verification.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spokeshave import __version__, verdict
from spokeshave.build.wheelhouse import Candidate, stock_pins
from spokeshave.inside.model import BuildPlan, bare_text, digest_of
from spokeshave.inside.sizes import sizes
from spokeshave.machine.files import alone_with, write_whole
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.select import pick_version
from spokeshave.verdict import NOTHING_SHOWN, VerifyReport, shows_something
from spokeshave.verify.paired_run import removed_components


def record_path(folder: Path, recipe: str, profile: str) -> Path:
    """The path of the record of a recipe under a profile."""
    return folder / profile / f"{recipe}.json"


def subject_digest(loaded: Loaded, plan: BuildPlan, others: Iterable[BuildPlan]) -> str:
    """The digest (sha256 hex) of all that a record covers; `others` are the plans of its companions.

    A record is of level full, so what the lower levels run is no part of it.
    """
    recipe, target = loaded.recipe, plan.target
    verify = {key: value for key, value in recipe.verify.facts().items() if key not in ("smoke", "core")}
    return digest_of(
        {
            "plan": plan.recipe_digest,
            "verify": verify,
            "components": removed_components(loaded, plan),
            "lock": bare_text("requirements.txt", loaded.files[recipe.verify.requires]),
            "stock": pick_version(recipe, target.python_version, plan.version).stock.get(target.identifier),
            "with": sorted(other.recipe_digest for other in others),
        }
    )


def write_record(
    folder: Path, candidate: Candidate, report: VerifyReport, savings: Mapping[str, int]
) -> Path:
    """Writes the record of a verification; sizes are in bytes.

    `savings` maps a lever's name to the bytes that it saves (`spokeshave ablate`). Those of an earlier record
    of the same recipe are kept.
    """
    plan = candidate.plan
    size = sizes(candidate.own.path)
    result = report.comparison or {}
    record = {
        "recipe": plan.recipe,
        "profile": plan.profile,
        "target": plan.target.identifier,
        "proof": subject_digest(candidate.loaded, plan, candidate.companion_plans),
        "plan": plan.digest,
        "recipe_digest": plan.recipe_digest,
        "engine": plan.environment.engine,
        "toolchain": dict(plan.environment.toolchain),
        "tool": __version__,
        "wheel": {
            "name": candidate.own.path.name,
            "sha256": report.sha256,
            "bytes": size.wheel,
            "unpacked": size.unpacked,
        },
        "stock": {pin.distribution: pin.version for pin in stock_pins(candidate)},
        "with": {one.path.name: one.sha256 for one in candidate.companions},
        "level": report.level,
        "passed": report.passed,
        "imported": report.imported,
        "outcomes": {side: result.get(side, {}) for side in ("ours", "stock")},
        "lost": [loss["test"] for loss in result.get("losses", ())],
        "failing on stock too": list(result.get("both_failed", ())),
        "left out": {reason: len(tests) for reason, tests in result.get("skipped", {}).items()},
        "removed": {part: len(tests) for part, tests in result.get("removed", {}).items()},
        "flaky": {test: list(outcomes) for test, outcomes in report.flaky.items()},
    }
    path = record_path(folder, plan.recipe, plan.profile)
    with alone_with(path):
        record["savings"] = {**recorded_savings([folder], plan), **savings}
        _write(path, record)
    return path


def stronger_level(folder: Path, candidate: Candidate, report: VerifyReport) -> str:
    """The level of a record that passed and covers more than a report of the same recipe; else empty."""
    path = record_path(folder, candidate.plan.recipe, candidate.plan.profile)
    record = verdict.read(path) or {}
    subject = subject_digest(candidate.loaded, candidate.plan, candidate.companion_plans)
    if record.get("proof") != subject or not record["passed"]:
        return ""
    return str(record["level"]) if verdict.rank(record["level"]) > verdict.rank(report.level) else ""


def record_savings(folder: Path, plan: BuildPlan, savings: Mapping[str, int]) -> bool:
    """Adds the bytes that levers saved to the record of the plan's recipe; returns whether one fits."""
    path = record_path(folder, plan.recipe, plan.profile)
    if not path.is_file():
        return False
    with alone_with(path):
        record = verdict.read(path) or {}
        if record.get("recipe_digest") != plan.recipe_digest:
            return False
        _write(path, {**record, "savings": {**record.get("savings", {}), **savings}})
    return True


def _write(path: Path, record: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(record, indent=1, sort_keys=True) + "\n")


def recorded_savings(folders: Iterable[Path], plan: BuildPlan) -> dict[str, int]:
    """Lever name to bytes saved, from the first folder with a record that fits the plan's recipe."""
    savings: dict[str, int] = _fitting(folders, plan).get("savings", {})
    return savings


def recorded_bytes(folders: Iterable[Path], plan: BuildPlan) -> int | None:
    """The bytes unpacked of the wheel of the first record that fits the plan's recipe; None without one."""
    wheel: Mapping[str, int] = _fitting(folders, plan).get("wheel", {})
    return wheel.get("unpacked")


def _fitting(folders: Iterable[Path], plan: BuildPlan) -> Mapping[str, Any]:
    """The first record that fits the plan's recipe; empty without one."""
    for folder in folders:
        path = record_path(folder, plan.recipe, plan.profile)
        record = verdict.read(path) or {}
        if record.get("recipe_digest") == plan.recipe_digest:
            return record
    return {}


def fault_of(folder: Path, loaded: Loaded, plan: BuildPlan, others: Iterable[BuildPlan]) -> str:
    """Why a recipe under a profile has no record of level full that fits; empty where it has one."""
    record = verdict.read(record_path(folder, plan.recipe, plan.profile))
    if record is None:
        return "there is no record"
    if record.get("proof") != subject_digest(loaded, plan, others):
        return "the recipe, the profile or a companion's recipe has changed since"
    if not shows_something(record["imported"], record["outcomes"]["ours"].get("passed")):
        return f"the record shows nothing: {NOTHING_SHOWN}"
    if record["level"] != "full" or not record["passed"]:
        return f"the record is of level {record['level']} and {'passed' if record['passed'] else 'failed'}"
    return ""
