"""Proves wheels in a clean place: content, imports, upstream's tests beside the stock wheel's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from packaging.version import Version

from spokeshave import own_code, verdict
from spokeshave.build.images.choice import images_of
from spokeshave.context import Context
from spokeshave.errors import WheelError
from spokeshave.inside.model import (
    BuildPlan,
    bare_text,
    digest_of,
    file_sha256,
    is_of_profile,
    plan_from_json,
)
from spokeshave.inside.prover.kernels import cpu_flags
from spokeshave.inside.wheel import MalformedWheel, archives_of_tests, beside, parse_name, wheels_of
from spokeshave.machine.files import write_whole
from spokeshave.verify.contents import inspect
from spokeshave.verify.faults import blas_faults, compiler_faults, expected_cores, import_faults, loss_faults
from spokeshave.verify.outcomes import Comparison, name_faults, stubbed_part
from spokeshave.verify.places import ContainerPlace, HostPlace, Place
from spokeshave.verify.trial import (
    Candidate,
    Level,
    Results,
    Trial,
    removed_components,
    stock_pins,
    test_lock,
)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fits:
    """Which version a companion must have: that one, or any of a profile."""

    version: str = ""
    profile: str = ""

    def __call__(self, version: str) -> bool:
        return version == self.version or (bool(self.profile) and is_of_profile(version, self.profile))

    def __str__(self) -> str:
        return self.version or f"of profile {self.profile}"


def candidates(context: Context, wheels: tuple[Path, ...]) -> list[Candidate]:
    """Pairs wheels with their recipes, plans and companions.

    Raises WheelError for a wheel that spokeshave did not build, or whose companion is not at hand.
    """
    named = {}
    for path in wheels:
        try:
            name = parse_name(path.name)
            named[name.distribution, name.version] = path
        except MalformedWheel as fault:
            raise WheelError(str(fault), next_step="name files that end in .whl") from fault
    return [_candidate(context, path, named) for path in wheels]


def _candidate(context: Context, path: Path, others: Mapping[tuple[str, str], Path]) -> Candidate:
    record = _record_beside(path)
    plan = plan_from_json(record["build_plan"])
    loaded = context.book.load(plan.recipe).at(plan.version)
    stack = tuple(context.book.load(name) for name in loaded.recipe.verify.stack)
    wanted = dict(plan.libraries)
    companions = []
    for recipe in (one.recipe for one in stack):
        found = _companion(path, recipe.distribution, _Fits(profile=plan.profile), others)
        wanted |= plan_from_json(_record_beside(found)["build_plan"]).libraries
        companions.append(found)
    companions += [
        _companion(path, library, _Fits(version=exact), others) for library, exact in wanted.items()
    ]
    return Candidate(
        wheel=path,
        tests=_tests_beside(path, record),
        plan=plan,
        loaded=loaded,
        companions=tuple(companions),
        stack=stack,
        companion_plans=tuple(plan_from_json(_record_beside(p)["build_plan"]) for p in companions),
    )


def _companion(path: Path, distribution: str, fits: _Fits, others: Mapping[tuple[str, str], Path]) -> Path:
    """The wheel of that distribution whose version fits, from those named or beside `path`."""
    name = distribution.replace("-", "_")
    named = (other for (known, version), other in others.items() if known == name and fits(version))
    beside = {p: Version(n.version) for p, n in wheels_of(path.parent, name).items() if fits(n.version)}
    found = next(named, None) or max(beside, key=lambda one: beside[one], default=None)
    if found is None:
        raise WheelError(
            f"{path.name} needs {distribution} {fits}, which is neither named nor beside it",
            next_step=f"build it, or name its wheel too: spokeshave verify {path} …",
        )
    return found


def _tests_beside(path: Path, record: Mapping[str, Any]) -> Path | None:
    if not record["tests"]:
        return None
    for tests in archives_of_tests(path):
        if file_sha256(tests) == record["tests"]["sha256"]:
            return tests
    raise WheelError(
        f"{record['tests']['name']} is not beside {path.name}, or not the file that its record describes",
        next_step="build the wheel again: `spokeshave build` delivers both",
    )


def _record_beside(path: Path) -> Mapping[str, Any]:
    record = beside(path, ".record.json")
    if not path.is_file() or not record.is_file():
        raise WheelError(
            f"{path}: {'no such file' if not path.is_file() else f'{record.name} is not beside it'}",
            next_step="verify wheels where `spokeshave build` put them",
        )
    data: Mapping[str, Any] = json.loads(record.read_text("utf-8"))
    if data["wheel"]["sha256"] != file_sha256(path):
        raise WheelError(
            f"{path.name} is not the file that its record describes (sha256 differs)",
            next_step="build the wheel again: `spokeshave build` delivers both",
        )
    return data


def verify(context: Context, candidate: Candidate, level: Level) -> VerifyReport:
    """Proves one wheel; a report that passed is reused while nothing has changed and no later run failed.

    The report is written beside the wheel, where that does not say more of it already (`verdict.put`).
    """
    place = make_place(context, candidate.plan, "run-compiler" if level == "full" else "run")
    key = digest_of(
        [
            [file_sha256(path) for path in (candidate.wheel, *candidate.companions)],
            candidate.tests and file_sha256(candidate.tests),
            [level, place.digest, own_code.code_digest("test"), own_code.code_digest("judge")],
            [candidate.loaded.recipe.verify.facts(), bare_text("requirements.txt", test_lock(candidate))],
            removed_components(candidate.loaded, candidate.plan),
            sorted(cpu_flags()) if candidate.loaded.recipe.verify.cores else [],
            [pin.sha256 for pin in stock_pins(candidate)],
        ]
    )
    label = f"{candidate.plan.distribution} {candidate.plan.local_version}"
    path = beside(candidate.wheel, ".verify.json")
    subject = {"sha256": file_sha256(candidate.wheel), "judge": _judge()}
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
        return HostPlace(target=plan.target, runner=context.runner, on_line=context.reporter.line)
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
        candidate.wheel,
        candidate.loaded.recipe,
        candidate.plan,
        candidate.companions,
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
        faults += name_faults(ours.lacking, trial.parts())
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
        wheel=candidate.wheel.name,
        sha256=file_sha256(candidate.wheel),
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
