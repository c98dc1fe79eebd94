"""Proves wheels in a clean place: content, imports, upstream's tests beside the stock wheel's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from spokeshave import kit
from spokeshave.compare import Comparison, compare
from spokeshave.errors import WheelError
from spokeshave.inspect_wheel import inspect
from spokeshave.model import BuildPlan, digest_of, file_sha256, plan_from_json
from spokeshave.pipeline import Context
from spokeshave.places import ContainerPlace, HostPlace, Place
from spokeshave.trial import Candidate, Level, Results, Trial, test_lock
from spokeshave.wheel import MalformedWheel, parse_name


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """The verdict on one wheel. `passed` is true only where no list below holds a fault."""

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


def candidates(context: Context, wheels: tuple[Path, ...]) -> list[Candidate]:
    """Pairs wheels with their recipes, plans and companions.

    Raises WheelError for a wheel that spokeshave did not build, or whose companion is not at hand.
    """
    by_distribution = {}
    for path in wheels:
        try:
            by_distribution[parse_name(path.name).distribution] = path
        except MalformedWheel as fault:
            raise WheelError(str(fault), next_step="name files that end in .whl") from fault
    return [_candidate(context, path, by_distribution) for path in wheels]


def _candidate(context: Context, path: Path, others: Mapping[str, Path]) -> Candidate:
    plan = _plan_beside(context, path)
    companions = []
    for library, version in plan.libraries.items():
        name = library.replace("-", "_")
        found = others.get(name) or next(path.parent.glob(f"{name}-{version}-*.whl"), None)
        if found is None:
            raise WheelError(
                f"{path.name} needs {library} {version}, which is neither named nor beside it",
                next_step=f"build it, or name its wheel too: spokeshave verify {path} …",
            )
        companions.append(found)
    tests = path.parent / f"{path.name.removesuffix('.whl')}.tests.zip"
    return Candidate(
        wheel=path,
        tests=tests if tests.is_file() else None,
        plan=plan,
        loaded=context.book.load(plan.recipe),
        companions=tuple(companions),
    )


def _plan_beside(context: Context, path: Path) -> BuildPlan:
    record = path.parent / f"{path.name.removesuffix('.whl')}.record.json"
    if not path.is_file() or not record.is_file():
        raise WheelError(
            f"{path}: {'no such file' if not path.is_file() else f'{record.name} is not beside it'}",
            next_step="verify wheels where `spokeshave build` put them",
        )
    data = json.loads(record.read_text("utf-8"))
    if data["wheel"]["sha256"] != file_sha256(path):
        raise WheelError(f"{path.name} is not the file that its record describes (sha256 differs)")
    return plan_from_json(data["build_plan"])


def verify(context: Context, candidate: Candidate, level: Level) -> VerifyReport:
    """Proves one wheel; the report is written beside it, and is reused while nothing has changed."""
    place = make_place(context, candidate.plan, "run-compiler" if level == "full" else "run")
    key = digest_of(
        [
            *(file_sha256(p) for p in (candidate.wheel, *candidate.companions)),
            *(level, place.digest, kit.prove_digest()),
            *(candidate.loaded.recipe.verify.model_dump(mode="json"), test_lock(candidate)),
        ]
    )
    label = f"{candidate.plan.distribution} {candidate.plan.local_version}"
    stored = context.store.get("verified", key)
    if stored is None:
        report = _prove(context, candidate, level, place)
        text = json.dumps(asdict(report), indent=1, sort_keys=True)
        if report.passed:
            context.store.put("verified", key, lambda new: _write(new / "verify.json", text))
    else:
        text = (stored / "verify.json").read_text("utf-8")
        context.reporter.say(f"{label}: verified before ({level}), nothing has changed")
        report = report_from_json(json.loads(text))
    beside = candidate.wheel.parent / f"{candidate.wheel.name.removesuffix('.whl')}.verify.json"
    _write(beside, text)
    return report


def report_from_json(data: Mapping[str, Any]) -> VerifyReport:
    """The inverse of `dataclasses.asdict` for a report."""
    return VerifyReport(**{**data, "faults": tuple(data["faults"])})


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", "utf-8")


def make_place(context: Context, plan: BuildPlan, kind: Literal["run", "run-compiler"]) -> Place:
    """The clean place that fits the engine that built the wheel."""
    if plan.environment.engine == "host":
        return HostPlace(target=plan.target, runner=context.runner, on_line=context.reporter.line)
    image = context.images.choose(kind, plan.target, context.image_mode)
    with context.reporter.stage(f"run image {image.reference}"):
        context.images.ensure(image, plan.target)
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
    ours = trial.ours(place)
    comparison: Comparison | None = None
    flaky: dict[str, tuple[str, ...]] = {}
    if ours.blas:
        faults += blas_faults(ours.blas, candidate.loaded.recipe.verify.cores)
    if trial.selection(level):
        stock = trial.stock(place)
        faults += import_faults(ours, stock)
        skips = {skip.test: skip.reason for skip in trial.skips()}
        comparison = compare(ours.outcomes, stock.outcomes, skips)
        if comparison.losses:
            comparison, flaky = trial.rerun(place, ours.outcomes, comparison)
        faults += [f"lost: {loss.test} ({loss.stock} -> {loss.ours})" for loss in comparison.losses]
        faults += [f"skip matches no test: {test}" for test in comparison.unmatched_skips]
    else:
        faults += [f"import {name}: {why}" for name, why in ours.import_failures.items()]
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
    )


def import_faults(ours: Results, stock: Results) -> list[str]:
    """Public modules that can be imported from the stock wheel and not from ours, with the reason."""
    return [
        f"import {name}: {ours.import_failures.get(name, 'there is no such module')}"
        for name in stock.imported
        if name not in ours.imported
    ]


def blas_faults(blas: Mapping[str, Any], cores: tuple[str, ...]) -> list[str]:
    """Kernels that are missing, or not the ones that fit the CPU's features."""
    faults = []
    expected = next(core for core in blas["runnable"] if core in cores)
    if blas["default"] != expected:
        faults.append(f"the BLAS chose {blas['default']} where {expected} fits this CPU")
    for core, answer in blas["forced"].items():
        if core in cores and answer != core:
            faults.append(f"OPENBLAS_CORETYPE={core} gave {answer}")
    return faults
