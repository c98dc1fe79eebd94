"""Proves wheels in a clean place: content, imports, upstream's tests beside the stock wheel's."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from spokeshave import kit, sources
from spokeshave.compare import Comparison, Outcomes, compare
from spokeshave.errors import VerifyError, WheelError
from spokeshave.inspect_wheel import inspect
from spokeshave.model import BuildPlan, digest_of, file_sha256, plan_from_json
from spokeshave.pipeline import Context, fetch_locked
from spokeshave.places import ContainerPlace, HostPlace, Place
from spokeshave.recipes import Loaded, SkipTable, pick_version
from spokeshave.wheel import MalformedWheel, parse_name

Level = Literal["smoke", "core", "full"]
_RERUNS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A wheel to prove: its plan, recipe, tests archive, and the wheels it is installed with."""

    wheel: Path
    tests: Path | None
    plan: BuildPlan
    loaded: Loaded
    companions: tuple[Path, ...]


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
            *(candidate.loaded.recipe.verify.model_dump(mode="json"), _test_lock(candidate)),
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


def _copy_folder(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)


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
    ours, extra = trial.ours(place)
    faults += extra.faults
    comparison: Comparison | None = None
    flaky: dict[str, tuple[str, ...]] = {}
    if trial.selection(level):
        skips = trial.skips()
        comparison = compare(ours, trial.stock(place), {s.test: s.reason for s in skips})
        if comparison.losses:
            comparison, flaky = trial.rerun(place, ours, comparison)
        faults += [f"lost: {loss.test} ({loss.stock} -> {loss.ours})" for loss in comparison.losses]
        faults += [f"skip matches no test: {test}" for test in comparison.unmatched_skips]
    return VerifyReport(
        wheel=candidate.wheel.name,
        sha256=file_sha256(candidate.wheel),
        plan=candidate.plan.digest,
        level=level,
        place=place.digest,
        faults=tuple(faults),
        imported=extra.imported,
        comparison=asdict(comparison) if comparison else None,
        flaky=flaky,
        passed=not faults,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Extra:
    """What a trial of our wheel tells beside the tests' outcomes."""

    faults: list[str]
    imported: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """Runs the prover on our wheel and on stock, with the same tests in the same kind of place."""

    context: Context
    candidate: Candidate
    level: Level

    def selection(self, level: Level) -> tuple[str, ...]:
        """The test files and folders of a level."""
        chosen: tuple[str, ...] = getattr(self.candidate.loaded.recipe.verify, level)
        return chosen

    def skips(self) -> list[SkipTable]:
        """The recipe's skips that hold for this wheel's levers and this level's tests."""
        on = {setting.name for setting in self.candidate.plan.levers}
        return [
            skip
            for skip in self.candidate.loaded.recipe.verify.skip
            if skip.lever in (None, *on) and skip.test.startswith(self.selection(self.level))
        ]

    def ours(self, place: Place) -> tuple[Outcomes, Extra]:
        """Installs and tries our wheels; raises VerifyError where they cannot even be installed."""
        recipe = self.candidate.loaded.recipe
        library = recipe.kind == "library"
        job = {
            "wheels": [p.name for p in (*self.candidate.companions, self.candidate.wheel)],
            "tests_archives": [self.candidate.tests.name] if self.candidate.tests else [],
            "import_name": recipe.import_name,
            "import_skip": [skip.module for skip in recipe.verify.import_skip],
            "blas": recipe.import_name if library else "",
            "deselect": [skip.test for skip in self.skips()],
        }
        files = [*self.candidate.companions, self.candidate.wheel]
        if self.candidate.tests:
            files.append(self.candidate.tests)
        results = self._run(place, "ours", job, files)
        imports = json.loads((results / "imports.json").read_text("utf-8"))
        faults = [f"import {name}: {why}" for name, why in imports["failed"].items()]
        if library:
            blas = json.loads((results / "blas.json").read_text("utf-8"))
            faults += _blas_faults(blas, recipe.verify.cores)
        return _outcomes(results), Extra(faults=faults, imported=len(imports["imported"]))

    def stock(self, place: Place) -> Outcomes:
        """The stock wheel's outcomes, kept in the store."""
        version = pick_version(self.candidate.loaded.recipe, self.candidate.plan.target.python_version)
        identifier = self.candidate.plan.target.identifier
        sha256 = version.stock.get(identifier)
        if sha256 is None:
            raise VerifyError(
                f"recipe {self.candidate.loaded.recipe.name} pins no stock wheel for {identifier}",
                next_step="add its sha256 under [versions.stock]",
            )
        job = {
            "wheels": [],
            "tests_archives": [],
            "import_name": "",
            "import_skip": [],
            "blas": "",
            "deselect": [],
        }
        key = digest_of(
            [sha256, place.digest, self._common(), _test_lock(self.candidate), kit.prove_digest()]
        )
        with self.context.store.locked("outcomes", key):
            stored = self.context.store.get("outcomes", key)
            if stored is None:
                wheel = self._stock_wheel(sha256, version.version)
                results = self._run(place, "stock", {**job, "wheels": [wheel.name]}, [wheel])
                stored = self.context.store.put(
                    "outcomes",
                    key,
                    lambda new: _copy_folder(results, new),
                )
        return _outcomes(stored)

    def rerun(
        self, place: Place, ours: Outcomes, first: Comparison
    ) -> tuple[Comparison, dict[str, tuple[str, ...]]]:
        """Runs the whole selection again where tests were lost: those that pass then are flaky."""
        seen = {loss.test: [loss.ours] for loss in first.losses}
        merged = dict(ours)
        for _ in range(_RERUNS):
            again, _extra = self.ours(place)
            for test, outcomes in seen.items():
                outcome = again.get(test, ("not run", ""))
                outcomes.append(outcome[0])
                if outcome[0] in ("passed", "xfailed"):
                    merged[test] = outcome
        skips = {skip.test: skip.reason for skip in self.skips()}
        comparison = compare(merged, self.stock(place), skips)
        lost = {loss.test for loss in comparison.losses}
        return comparison, {t: tuple(o) for t, o in seen.items() if t not in lost}

    def _common(self) -> dict[str, Any]:
        verify = self.candidate.loaded.recipe.verify
        tests = self.selection(self.level)
        with_compiler = self.level == "full"
        return {
            "tests": list(tests),
            "ignore": [] if with_compiler else list(verify.compiler),
            "marker": verify.marker,
            "workers": len(os.sched_getaffinity(0)),
        }

    def _run(self, place: Place, side: str, job: dict[str, Any], files: list[Path]) -> Path:
        label = f"{self.candidate.plan.distribution} ({side}, {self.level})"
        log = self.context.logs / f"verify-{self.candidate.plan.distribution}-{side}.log"
        output = self.context.logs / f"results-{self.candidate.plan.distribution}-{side}"
        shutil.rmtree(output, ignore_errors=True)
        lock = _test_lock(self.candidate)
        with self.context.reporter.stage(f"verifying {label}"), self.context.store.scratch() as new:
            folder = new / "kit"
            (folder / "wheels").mkdir(parents=True)
            (folder / "test-wheels").mkdir()
            for path in files:
                shutil.copyfile(path, folder / "wheels" / path.name)
            for path in fetch_locked(self.context, lock, self.candidate.plan.target):
                shutil.copyfile(path, folder / "test-wheels" / path.name)
            (folder / "requirements.txt").write_text(lock, "utf-8")
            (folder / "job.json").write_text(json.dumps({**self._common(), **job}), "utf-8")
            kit.copy_code(folder / "code")
            done = place.prove(folder, output, log)
        if not done.ok:
            tail = "\n".join(f"  | {line}" for line in done.output.splitlines()[-15:])
            raise VerifyError(f"{label} could not be tried:\n{tail}", log=log)
        return output

    def _stock_wheel(self, sha256: str, version: str) -> Path:
        folder = self.context.store.get("stock", sha256)
        if folder is None:
            folder = self.context.store.put(
                "stock", sha256, lambda new: self._download_stock(sha256, version, new)
            )
        return next(folder.glob("*.whl"))

    def _download_stock(self, sha256: str, version: str, folder: Path) -> None:
        recipe, plan = self.candidate.loaded.recipe, self.candidate.plan
        sources.download_wheel(
            recipe.distribution,
            version,
            sha256,
            folder,
            python_tag=plan.target.python,
            platforms=plan.target.pip_platforms,
            runner=self.context.runner,
            log=self.context.logs / "stock-download.log",
        )


def _test_lock(candidate: Candidate) -> str:
    return candidate.loaded.files[candidate.loaded.recipe.verify.requires]


def _outcomes(results: Path) -> dict[str, tuple[str, str]]:
    path = results / "outcomes.json"
    if not path.is_file():
        return {}
    rows = json.loads(path.read_text("utf-8"))
    return {test: (outcome, reason) for test, (outcome, reason) in rows.items()}


def _blas_faults(blas: Mapping[str, Any], cores: tuple[str, ...]) -> list[str]:
    """Kernels missing, or not the one that fits the CPU."""
    faults = []
    expected = next(core for core in blas["runnable"] if core in cores)
    if blas["default"] != expected:
        faults.append(f"the BLAS chose {blas['default']} where {expected} fits this CPU")
    for core, answer in blas["forced"].items():
        if core in cores and answer != core:
            faults.append(f"OPENBLAS_CORETYPE={core} gave {answer}")
    return faults
