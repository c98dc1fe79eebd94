"""The paired test run: our wheel and the PyPI wheel run the same tests in the same kind of environment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from spokeshave import own_code
from spokeshave.build import shared
from spokeshave.build.wheelhouse import Candidate
from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.inside.model import BuildPlan, bare_text
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.verify_schema import SkipTable
from spokeshave.sources.fetch import fetch_locked
from spokeshave.verify.environments import VerifyEnvironment
from spokeshave.verify.outcomes import Comparison, Outcomes, compare
from spokeshave.verify.pypi_outcomes import kept_outcomes
from spokeshave.verify.rerun import rerun_lost

Level = Literal["smoke", "core", "full"]
_WIDEST = 300  # characters of a line in an error; what was imported is one line of thousands


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """The results of one side: outcomes of tests, modules imported and not, BLAS kernels.

    `unsound` maps what an imported module cannot answer (help(), a name, a pickle) to the reason. `offered`
    has the names that dir() lists of public modules and classes, and the modules that define them. `lacking`
    has the PyPI wheel's names that dir() does not list, each with its answer: an error, or nothing.
    """

    outcomes: Outcomes
    imported: tuple[str, ...]
    import_failures: Mapping[str, str]
    unsound: Mapping[str, str]
    blas: Mapping[str, Any] | None
    offered: Mapping[str, Any] = field(default_factory=dict)
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedRun:
    """Runs our wheel and the PyPI wheel with the same tests in the same kind of environment."""

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
        absent = (*self.removed(), *self._ignored())
        return [
            skip
            for skip in self.candidate.loaded.recipe.verify.skip
            if skip.lever in (None, *on)
            and skip.blas_integers in (None, shared.width(self.candidate.plan))
            and skip.test.startswith(self.selection(self.level))
            and not skip.test.startswith(absent)
        ]

    def _ignored(self) -> tuple[str, ...]:
        """The files and folders of tests that need a compiler, where the level runs without one."""
        return () if self.level == "full" else self.candidate.loaded.recipe.verify.compiler

    def removed(self) -> dict[str, str]:
        """Starts of node ids of tests that are removed with a component, to its name."""
        starts: dict[str, str] = {}
        selected = self.selection(self.level)
        known = {part.name: part for part in self.candidate.loaded.recipe.components}
        for part in self.candidate.plan.removed:
            starts |= {f"{module.replace('.', '/')}/": part.component for module in part.modules}
            starts |= {
                row.test: part.component
                for row in known[part.component].tests
                if (row.test.startswith(selected) or any(test.startswith(row.test) for test in selected))
                and not row.test.startswith(self._ignored())
            }
        return starts

    def ours(
        self, environment: VerifyEnvironment, stock: Results | None = None, only: tuple[str, ...] = ()
    ) -> Results:
        """Installs our wheels and runs the level's tests, or `only` some node ids.

        With the results of the PyPI wheel (`stock`), it also lists the names that ours lack.
        Raises VerifyError where ours cannot even be installed.
        """
        recipe, tests = self.candidate.loaded.recipe, self.candidate.own.tests
        files = list(self.candidate.wheels)
        job = {
            "wheels": [path.name for path in files],
            "tests_archives": [tests.name] if tests else [],
            "blas": recipe.import_name if recipe.verify.cores else "",
            "cpu_features": recipe.verify.cpu_features,
            "symbols": shared.symbols_of(self.candidate.plan, "cblas_dgemm"),
            "deselect": [*(skip.test for skip in self.skips()), *self.removed()],
            "tests": list(only or self.selection(self.level)),
            "options": [*recipe.verify.options, *self._brief()],
            "names": stock is not None,
        }
        if tests:
            files.append(tests)
        return read_results(self._run(environment, "ours", job, files, stock))

    def _brief(self) -> tuple[str, ...]:
        """No tracebacks at the end where stubs make thousands of tests fail; the outcomes have the reasons.

        pytest searches all reports for each failure it shows: 7 minutes for 5,000 of scipy's 77,000 tests.
        """
        plans = (self.candidate.plan, *self.candidate.companion_plans)
        return ("--no-summary",) if any(plan.removed for plan in plans) else ()

    def stock(self, environment: VerifyEnvironment) -> Results:
        """The results of the PyPI wheel, from the store; raises VerifyError where the recipe pins none."""
        lock = bare_text("requirements.txt", test_lock(self.candidate))
        facts = [environment.digest, self._common(), lock]

        def run(wheels: list[Path]) -> Path:
            names = [wheel.name for wheel in wheels]
            job = {"wheels": names, "tests_archives": [], "blas": "", "deselect": [], "names": True}
            return self._run(environment, "stock", job, wheels)

        return read_results(kept_outcomes(self.context, self.candidate, facts, run))

    def compare(
        self, environment: VerifyEnvironment, ours: Results, stock: Results
    ) -> tuple[Comparison, Mapping[str, tuple[str, ...]]]:
        """Our tests compared with the PyPI wheel's, after reruns; flaky ones with their outcomes."""
        return rerun_lost(
            ours.outcomes,
            self.judge(ours.outcomes, stock.outcomes),
            lambda tests: self.ours(environment, only=tests).outcomes,
            lambda merged: self.judge(merged, stock.outcomes),
        )

    def judge(self, ours: Outcomes, stock: Outcomes) -> Comparison:
        """Our outcomes compared with the PyPI wheel's, by the recipe's skips and the profile's removals."""
        skips = {skip.test: skip.reason for skip in self.skips()}
        return compare(ours, stock, skips, self.removed(), self.parts())

    def removed_modules(self) -> frozenset[str]:
        """The modules that are not in the wheels, ours and its companions', by the profile's removals."""
        plans = (self.candidate.plan, *self.candidate.companion_plans)
        return frozenset(module for plan in plans for part in plan.removed for module in part.modules)

    def parts(self) -> dict[tuple[str, str], str]:
        """Distribution and component of each part that is not in the wheels, to its name here."""
        own = self.candidate.plan
        return {
            (plan.distribution, part.component): f"{plan.recipe}/{part.component}"
            for plan in self.candidate.companion_plans
            for part in plan.removed
        } | {(own.distribution, part.component): part.component for part in own.removed}

    def _common(self) -> dict[str, Any]:
        verify = self.candidate.loaded.recipe.verify
        return {
            "import_name": self.candidate.loaded.recipe.import_name,
            "tests": list(self.selection(self.level)),
            "ignore": list(self._ignored()),
            "marker": verify.marker,
            "options": list(verify.options),
        }

    def _run(
        self,
        environment: VerifyEnvironment,
        side: str,
        job: dict[str, Any],
        files: list[Path],
        stock: Results | None = None,
    ) -> Path:
        """Runs one side in the environment; returns the folder of its results."""
        shown = "PyPI's" if side == "stock" else side
        label = f"{self.candidate.plan.distribution} ({shown}, {self.level})"
        log = self.context.logs / f"verify-{self.candidate.plan.distribution}-{side}.log"
        output = self.context.logs / f"results-{self.candidate.plan.distribution}-{side}"
        shutil.rmtree(output, ignore_errors=True)
        with self.context.reporter.stage(f"verifying {label}"), self.context.store.scratch() as new:
            folder = new / "kit"
            self._fill(folder, job, files, stock)
            done = environment.run_job(folder, output, log)
        if not done.ok:
            tail = "\n".join(f"  | {line[:_WIDEST]}" for line in done.output.splitlines()[-15:])
            raise VerifyError(f"{label} could not run:\n{tail}", log=log)
        return output

    def _fill(self, folder: Path, job: dict[str, Any], files: list[Path], stock: Results | None) -> None:
        """Writes what the environment needs: the wheels, the test requirements, the job and our code."""
        lock = test_lock(self.candidate)
        (folder / "wheels").mkdir(parents=True)
        (folder / "test-wheels").mkdir()
        for path in files:
            shutil.copyfile(path, folder / "wheels" / path.name)
        for path in fetch_locked(self.context, lock, self.candidate.plan.target):
            shutil.copyfile(path, folder / "test-wheels" / path.name)
        (folder / "requirements.txt").write_text(lock, "utf-8")
        workers = {"workers": self.context.cpus}
        (folder / "job.json").write_text(json.dumps({**self._common(), **workers, **job}), "utf-8")
        if stock is not None:
            (folder / "stock-names.json").write_text(json.dumps(dict(stock.offered)), "utf-8")
        own_code.copy_inside(folder / "code")


def removed_components(loaded: Loaded, plan: BuildPlan) -> list[dict[str, Any]]:
    """The recipe's facts on the components that a plan removes, as JSON: a record covers these alone."""
    removed = {part.component for part in plan.removed}
    return [part.facts() for part in loaded.recipe.components if part.name in removed]


def test_lock(candidate: Candidate) -> str:
    """The text of the hash-locked test requirements."""
    return candidate.loaded.files[candidate.loaded.recipe.verify.requires]


def read_results(folder: Path) -> Results:
    """Reads the results that a run has written."""

    def read(name: str) -> Any:
        path = folder / f"{name}.json"
        return json.loads(path.read_text("utf-8")) if path.is_file() else None

    imports = read("imports") or {"imported": [], "failed": {}, "unsound": {}}
    return Results(
        outcomes={test: (row[0], row[1]) for test, row in (read("outcomes") or {}).items()},
        imported=tuple(imports["imported"]),
        import_failures=imports["failed"],
        unsound=imports["unsound"],
        blas=read("blas"),
        offered=read("names") or {},
        lacking=read("lacking") or {},
    )
