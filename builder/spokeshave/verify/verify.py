"""Proves wheels in a clean place: content, imports, upstream's tests beside the stock wheel's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from spokeshave import own_code, verdict
from spokeshave.build.images.choice import images_of
from spokeshave.build.wheelhouse import Candidate, stock_pins
from spokeshave.context import Context
from spokeshave.inside.model import BuildPlan, bare_text, digest_of
from spokeshave.inside.prover.kernels import cpu_flags
from spokeshave.inside.wheel import beside
from spokeshave.machine.files import write_whole
from spokeshave.verify.contents import inspect
from spokeshave.verify.faults import blas_faults, compiler_faults, expected_cores, import_faults, loss_faults
from spokeshave.verify.outcomes import Comparison, name_faults, stubbed_part
from spokeshave.verify.places import ContainerPlace, HostPlace, Place
from spokeshave.verify.trial import Level, Results, Trial, removed_components, test_lock


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """The verdict on one wheel. `passed` is true only where no list below holds a fault.

    `judge` is the digest of our own code that ran the tests and judged them; older reports have none.
    """

    wheel: str
    sha256: str
    plan: str
    level: Level
    place: str
    faults: tuple[str, ...]
    imported: int
    comparison: Mapping[str, Any] | None
    flaky: Mapping[str, tuple[str, ...]]
    passed: bool
    judge: str = ""


def verify(context: Context, candidate: Candidate, level: Level) -> VerifyReport:
    """Proves one wheel; a report that passed is reused while nothing has changed and no later run failed.

    The report is written beside the wheel, where that does not say more of it already (`verdict.put`).
    """
    place = make_place(context, candidate.plan, "run-compiler" if level == "full" else "run")
    key = digest_of(
        [
            [one.sha256 for one in (candidate.own, *candidate.companions)],
            candidate.own.tests_sha256,
            [level, place.digest, own_code.code_digest("test"), own_code.code_digest("judge")],
            [candidate.loaded.recipe.verify.facts(), bare_text("requirements.txt", test_lock(candidate))],
            removed_components(candidate.loaded, candidate.plan),
            sorted(cpu_flags()) if candidate.loaded.recipe.verify.cores else [],
            [pin.sha256 for pin in stock_pins(candidate)],
        ]
    )
    label = f"{candidate.plan.distribution} {candidate.plan.local_version}"
    path = beside(candidate.own.path, ".verify.json")
    subject = {"sha256": candidate.own.sha256, "judge": _judge()}
    stored = None if verdict.failed_before(path, subject) else context.store.get("verified", key)
    if stored is None:
        report = _prove(context, candidate, level, place)
        if report.passed:
            text = json.dumps(asdict(report), indent=1, sort_keys=True) + "\n"
            context.store.put("verified", key, lambda new: write_whole(new / "verify.json", text))
    else:
        context.reporter.say(f"{label}: verified before ({level}), nothing has changed")
        report = report_from_json(json.loads((stored / "verify.json").read_text("utf-8")))
    if kept := verdict.put(path, asdict(report)):
        context.reporter.say(f"{label}: {kept}")
    return report


def _judge() -> str:
    return digest_of([own_code.code_digest("test"), own_code.code_digest("judge")])


def report_from_json(data: Mapping[str, Any]) -> VerifyReport:
    """The inverse of `dataclasses.asdict` for a report."""
    return VerifyReport(**{**data, "faults": tuple(data["faults"])})


def make_place(context: Context, plan: BuildPlan, kind: Literal["run", "run-compiler"]) -> Place:
    """The clean place that fits the engine that built the wheel."""
    if plan.environment.engine == "host":
        return HostPlace(
            target=plan.target,
            path=context.environ["PATH"],
            runner=context.runner,
            on_line=context.reporter.line,
        )
    context.containers.remove_orphans()
    # Python's official image has no Fortran compiler for f2py's tests.
    images = images_of(context)
    image = images.choose(kind, plan.target, "local" if kind == "run-compiler" else None)
    with context.reporter.stage(f"run image {image.reference}"):
        images.ensure(image, plan.target)
    return ContainerPlace(
        image=image.reference,
        digest=image.digest,
        containers=context.containers,
        on_line=context.reporter.line,
    )


def _prove(context: Context, candidate: Candidate, level: Level, place: Place) -> VerifyReport:
    faults = inspect(
        candidate.own.path,
        candidate.loaded.recipe,
        candidate.plan,
        candidate.wheels[:-1],
        context.runner,
    )
    trial = Trial(context=context, candidate=candidate, level=level)
    # Stock first: its names are looked for in ours. Its results are in the store but for the first time.
    stock = trial.stock(place) if trial.selection(level) else None
    ours = trial.ours(place, stock)
    comparison: Comparison | None = None
    flaky: Mapping[str, tuple[str, ...]] = {}
    if ours.blas:
        faults += blas_faults(ours.blas, expected_cores(candidate))
    if stock is not None:
        faults += import_faults(ours, stock, candidate.plan)
        faults += name_faults(ours.lacking, trial.parts(), stock.offered, trial.gone())
        faults += compiler_faults(candidate, level, stock)
        comparison, flaky = _compare(trial, place, ours, stock)
        faults += loss_faults(level, comparison)
    else:
        failed = {
            name: why for name, why in ours.import_failures.items() if not stubbed_part(why, trial.parts())
        }
        faults += [f"import {name}: {why}" for name, why in failed.items()]
    if not verdict.shows_something(len(ours.imported), comparison and comparison.ours.get("passed")):
        faults.append(f"nothing is verified: {verdict.NOTHING_SHOWN}")
    return VerifyReport(
        wheel=candidate.own.path.name,
        sha256=candidate.own.sha256,
        plan=candidate.plan.digest,
        level=level,
        place=place.digest,
        faults=tuple(faults),
        imported=len(ours.imported),
        comparison=asdict(comparison) if comparison else None,
        flaky=flaky,
        passed=not faults,
        judge=_judge(),
    )


def _compare(
    trial: Trial, place: Place, ours: Results, stock: Results
) -> tuple[Comparison, Mapping[str, tuple[str, ...]]]:
    """Our tests beside stock's. What was lost runs again; what then passes is flaky, with its outcomes."""
    comparison = trial.judge(ours.outcomes, stock.outcomes)
    return trial.rerun(place, ours.outcomes, comparison) if comparison.losses else (comparison, {})
