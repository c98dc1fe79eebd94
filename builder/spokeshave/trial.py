"""Runs the prover on a wheel and on its stock twin: same tests, same kind of place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from spokeshave import kit, sources
from spokeshave.compare import Comparison, Outcomes, compare
from spokeshave.errors import VerifyError
from spokeshave.model import BuildPlan, digest_of
from spokeshave.pipeline import Context, fetch_locked
from spokeshave.places import Place
from spokeshave.recipes import Loaded, SkipTable, pick_version

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
        pinned = stock_pin(self.candidate)
        if pinned is None:
            raise VerifyError(
                f"recipe {self.candidate.loaded.recipe.name} pins no stock wheel for"
                f" {self.candidate.plan.target.identifier}",
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
        key = digest_of([pinned, place.digest, self._common(), test_lock(self.candidate), kit.prove_digest()])
        with self.context.store.locked("outcomes", key):
            stored = self.context.store.get("outcomes", key)
            if stored is None:
                wheel = stock_wheel(self.context, self.candidate)
                assert wheel is not None
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
        lock = test_lock(self.candidate)
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


def stock_pin(candidate: Candidate) -> str | None:
    """The sha256 of the stock wheel that the recipe compares with, where it pins one."""
    plan = candidate.plan
    version = pick_version(candidate.loaded.recipe, plan.target.python_version, plan.version)
    return version.stock.get(plan.target.identifier)


def stock_wheel(context: Context, candidate: Candidate) -> Path | None:
    """The stock wheel, from the store or the index; nothing where the recipe pins none."""
    pinned = stock_pin(candidate)
    if pinned is None:
        return None
    folder = context.store.get("stock", pinned) or context.store.put(
        "stock", pinned, lambda new: _download_stock(context, candidate.plan, pinned, new)
    )
    return next(folder.glob("*.whl"))


def _download_stock(context: Context, plan: BuildPlan, sha256: str, folder: Path) -> None:
    sources.download_wheel(
        plan.distribution,
        plan.version,
        sha256,
        folder,
        python_tag=plan.target.python,
        platforms=plan.target.pip_platforms,
        runner=context.runner,
        log=context.logs / "stock-download.log",
    )


def test_lock(candidate: Candidate) -> str:
    """The text of the hash-locked test requirements."""
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


def _copy_folder(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
