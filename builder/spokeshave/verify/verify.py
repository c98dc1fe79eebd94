"""The verification of a wheel: its content, its imports, and its tests compared with the PyPI wheel's."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Literal

from spokeshave import own_code, verdict
from spokeshave.build.images.choice import images_of
from spokeshave.build.wheelhouse import Candidate, stock_pins
from spokeshave.context import Context
from spokeshave.inside.model import BuildPlan, bare_text, digest_of
from spokeshave.inside.prover.kernels import cpu_flags
from spokeshave.inside.wheel import beside
from spokeshave.machine.files import write_whole
from spokeshave.verdict import VerifyReport
from spokeshave.verify.contents import inspect
from spokeshave.verify.environments import ContainerEnvironment, HostEnvironment, VerifyEnvironment
from spokeshave.verify.faults import (
    blas_faults,
    compiler_faults,
    expected_cores,
    import_faults,
    loss_faults,
    own_faults,
)
from spokeshave.verify.outcomes import Comparison, name_faults, stubbed_part
from spokeshave.verify.paired_run import Level, PairedRun, removed_components, test_lock


def verify(
    context: Context, candidate: Candidate, level: Level, excused: Callable[[], Collection[str]] = tuple
) -> VerifyReport:
    """Verifies one wheel; a report that passed is reused while nothing has changed and no later run failed.

    The report is written next to the wheel, unless the one there covers more (`verdict.put`). `excused`
    returns the content faults that are not the wheel's own: those of the PyPI wheel that it was made of.
    """
    environment = make_environment(context, candidate.plan, "run-compiler" if level == "full" else "run")
    key = digest_of(
        [
            [one.sha256 for one in (candidate.own, *candidate.companions)],
            candidate.own.tests_sha256,
            [level, environment.digest, own_code.code_digest("test"), own_code.code_digest("judge")],
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
        report = _compare(context, candidate, level, environment, excused)
        if report.passed:
            context.store.put("verified", key, lambda new: write_whole(new / "verify.json", report.text()))
    else:
        context.reporter.say(f"{label}: verified before ({level}), nothing has changed")
        report = verdict.report_from_json(json.loads((stored / "verify.json").read_text("utf-8")))
    if kept := verdict.put(path, report.to_json()):
        context.reporter.say(f"{label}: {kept}")
    return report


def _judge() -> str:
    return digest_of([own_code.code_digest("test"), own_code.code_digest("judge")])


def make_environment(
    context: Context, plan: BuildPlan, kind: Literal["run", "run-compiler"]
) -> VerifyEnvironment:
    """The test environment that fits the engine that built the wheel."""
    if plan.environment.engine == "host":
        return HostEnvironment(
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
    return ContainerEnvironment(
        image=image.reference,
        digest=image.digest,
        containers=context.containers,
        on_line=context.reporter.line,
    )


def _compare(
    context: Context,
    candidate: Candidate,
    level: Level,
    environment: VerifyEnvironment,
    excused: Callable[[], Collection[str]],
) -> VerifyReport:
    """Runs all checks of one wheel and returns the report."""
    faults = inspect(
        candidate.own.path,
        candidate.loaded.recipe,
        candidate.plan,
        candidate.wheels[:-1],
        context.runner,
    )
    faults = own_faults(faults, excused)
    pair = PairedRun(context=context, candidate=candidate, level=level)
    # The PyPI wheel first: its names are looked for in ours. Its results come from the store after one run.
    stock = pair.stock(environment) if pair.selection(level) else None
    ours = pair.ours(environment, stock)
    comparison: Comparison | None = None
    flaky: Mapping[str, tuple[str, ...]] = {}
    if ours.blas:
        faults += blas_faults(ours.blas, expected_cores(candidate))
    if stock is not None:
        faults += import_faults(ours, stock, candidate.plan)
        faults += name_faults(ours.lacking, pair.parts(), stock.offered, pair.removed_modules())
        faults += compiler_faults(candidate, level, stock)
        comparison, flaky = pair.compare(environment, ours, stock)
        faults += loss_faults(level, comparison)
    else:
        failed = {
            name: why for name, why in ours.import_failures.items() if not stubbed_part(why, pair.parts())
        }
        faults += [f"import {name}: {why}" for name, why in failed.items()]
    if not verdict.shows_something(len(ours.imported), comparison and comparison.ours.get("passed")):
        faults.append(f"nothing is verified: {verdict.NOTHING_SHOWN}")
    return VerifyReport(
        wheel=candidate.own.path.name,
        sha256=candidate.own.sha256,
        plan=candidate.plan.digest,
        level=level,
        place=environment.digest,
        faults=tuple(faults),
        imported=len(ours.imported),
        comparison=asdict(comparison) if comparison else None,
        flaky=flaky,
        passed=not faults,
        judge=_judge(),
    )
