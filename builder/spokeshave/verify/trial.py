"""Runs the prover on a wheel and on its stock twin: same tests, same kind of place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from spokeshave import own_code
from spokeshave.build.wheelhouse import Candidate, stock_pins
from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.inside.model import BuildPlan, bare_text, digest_of
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.verify_schema import SkipTable
from spokeshave.sources.fetch import fetch_locked
from spokeshave.sources.stock import stock_wheel
from spokeshave.verify.outcomes import Comparison, Outcomes, as_good, compare
from spokeshave.verify.places import Place

Level = Literal["smoke", "core", "full"]
_RERUNS = 2
_WIDEST = 300  # characters of a line in an error; what was imported is one line of thousands
_FLAKY_AT_MOST = 40  # more losses than that are no accident


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """What one run of the prover found: outcomes of tests, modules imported and not, BLAS kernels.

    `unsound` maps what an imported module cannot answer (help(), a name, a pickle) to the reason. `offered`
    has the names that dir() lists of public modules and classes, and their homes; `lacking` those of stock's
    that it does not list, with what each answers when it is asked for: an error, or nothing.
    """

    outcomes: Outcomes
    imported: tuple[str, ...]
    import_failures: Mapping[str, str]
    unsound: Mapping[str, str]
    blas: Mapping[str, Any] | None
    offered: Mapping[str, Any] = field(default_factory=dict)
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


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
        absent = (*self.removed(), *self._ignored())
        return [
            skip
            for skip in self.candidate.loaded.recipe.verify.skip
            if skip.lever in (None, *on)
            and skip.test.startswith(self.selection(self.level))
            and not skip.test.startswith(absent)
        ]

    def _ignored(self) -> tuple[str, ...]:
        """The files and folders of tests that need a compiler, where the level runs without one."""
        return () if self.level == "full" else self.candidate.loaded.recipe.verify.compiler

    def removed(self) -> dict[str, str]:
        """Starts of node ids that go with a component that is not in the wheel, to its name."""
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

    def ours(self, place: Place, stock: Results | None = None, only: tuple[str, ...] = ()) -> Results:
        """Installs and tries our wheels, on the level's tests or `only` on some node ids.

        Beside the results of `stock`, what they lack of its names is looked for, too.
        Raises VerifyError where they cannot even be installed.
        """
        recipe, tests = self.candidate.loaded.recipe, self.candidate.own.tests
        files = list(self.candidate.wheels)
        job = {
            "wheels": [path.name for path in files],
            "tests_archives": [tests.name] if tests else [],
            "blas": recipe.import_name if recipe.verify.cores else "",
            "cpu_features": recipe.verify.cpu_features,
            "deselect": [*(skip.test for skip in self.skips()), *self.removed()],
            "tests": list(only or self.selection(self.level)),
            "options": [*recipe.verify.options, *self._brief()],
            "names": stock is not None,
        }
        if tests:
            files.append(tests)
        return read_results(self._run(place, "ours", job, files, stock))

    def _brief(self) -> tuple[str, ...]:
        """No tracebacks at the end where stubs make thousands of tests fail; the outcomes have the reasons.

        pytest searches all reports for each failure it shows: 7 minutes for 5,000 of scipy's 77,000 tests.
        """
        plans = (self.candidate.plan, *self.candidate.companion_plans)
        return ("--no-summary",) if any(plan.removed for plan in plans) else ()

    def stock(self, place: Place) -> Results:
        """The stock wheel's results, kept in the store; raises VerifyError where the recipe pins none."""
        pins = stock_pins(self.candidate)
        if len(pins) <= len(self.candidate.stack):
            raise VerifyError(
                f"recipe {self.candidate.loaded.recipe.name} or one of its stack pins no stock wheel for"
                f" {self.candidate.plan.target.identifier}",
                next_step="add its sha256 under [versions.stock]",
            )
        lock = bare_text("requirements.txt", test_lock(self.candidate))
        hashes = [pin.sha256 for pin in pins]
        key = digest_of([hashes, place.digest, self._common(), lock, own_code.code_digest("test")])
        with self.context.store.locked("outcomes", key):
            stored = self.context.store.get("outcomes", key)
            if stored is None:
                results = self._run_stock(place)
                stored = self.context.store.put("outcomes", key, lambda new: _copy_folder(results, new))
        return read_results(stored)

    def _run_stock(self, place: Place) -> Path:
        target = self.candidate.plan.target
        wheels = [stock_wheel(self.context, pin, target) for pin in stock_pins(self.candidate)]
        names = [wheel.name for wheel in wheels]
        job = {"wheels": names, "tests_archives": [], "blas": "", "deselect": [], "names": True}
        return self._run(place, "stock", job, wheels)

    def rerun(
        self, place: Place, ours: Outcomes, first: Comparison
    ) -> tuple[Comparison, dict[str, tuple[str, ...]]]:
        """Runs the lost tests again, alone: those that pass every time then are flaky, with all outcomes."""
        seen = {loss.test: [loss.ours] for loss in first.losses if loss.ours != "not run"}
        wanted = {loss.test: loss.stock for loss in first.losses}
        if not 0 < len(seen) <= _FLAKY_AT_MOST:
            return first, {}
        merged = dict(ours)
        for _ in range(_RERUNS):
            again = self.ours(place, only=tuple(seen)).outcomes
            for test, outcomes in seen.items():
                merged[test] = again.get(test, ("not run", ""))
                outcomes.append(merged[test][0])
        for test, outcomes in seen.items():
            if not all(as_good(outcome, wanted[test]) for outcome in outcomes[1:]):
                merged[test] = ours[test]
        comparison = self.judge(merged, self.stock(place).outcomes)
        lost = {loss.test for loss in comparison.losses}
        return comparison, {t: tuple(o) for t, o in seen.items() if t not in lost}

    def judge(self, ours: Outcomes, stock: Outcomes) -> Comparison:
        """Our outcomes beside stock's, by the recipe's skips and what the profile takes out of the wheels."""
        skips = {skip.test: skip.reason for skip in self.skips()}
        return compare(ours, stock, skips, self.removed(), self.parts())

    def gone(self) -> frozenset[str]:
        """The modules that are not in the wheels, ours and its companions', by the profile's removals."""
        plans = (self.candidate.plan, *self.candidate.companion_plans)
        return frozenset(module for plan in plans for part in plan.removed for module in part.modules)

    def parts(self) -> dict[tuple[str, str], str]:
        """Distribution and component of each part that is not in the wheels, to what it is called here."""
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
        self, place: Place, side: str, job: dict[str, Any], files: list[Path], stock: Results | None = None
    ) -> Path:
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
            workers = {"workers": self.context.cpus}
            (folder / "job.json").write_text(json.dumps({**self._common(), **workers, **job}), "utf-8")
            if stock is not None:
                (folder / "stock-names.json").write_text(json.dumps(dict(stock.offered)), "utf-8")
            own_code.copy_inside(folder / "code")
            done = place.prove(folder, output, log)
        if not done.ok:
            tail = "\n".join(f"  | {line[:_WIDEST]}" for line in done.output.splitlines()[-15:])
            raise VerifyError(f"{label} could not be tried:\n{tail}", log=log)
        return output


def removed_components(loaded: Loaded, plan: BuildPlan) -> list[dict[str, Any]]:
    """What the recipe says of the components that a plan takes out: a proof is about these alone, as JSON."""
    gone = {part.component for part in plan.removed}
    return [part.facts() for part in loaded.recipe.components if part.name in gone]


def test_lock(candidate: Candidate) -> str:
    """The text of the hash-locked test requirements."""
    return candidate.loaded.files[candidate.loaded.recipe.verify.requires]


def read_results(folder: Path) -> Results:
    """Reads what the prover has written."""

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


def _copy_folder(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
