"""A PGO profile collection from start to end: instrumented build, work, PGO profile."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from spokeshave.bench.compare import processor
from spokeshave.bench.sides import RUNNER, stack_of
from spokeshave.bench.suite_runs import suite_of
from spokeshave.bench.train.work import Workspace, run_suite, run_tests
from spokeshave.build import pipeline
from spokeshave.build.delivery import Built
from spokeshave.build.pgo.bundle import (
    REACHED,
    Manifest,
    Work,
    counted_in,
    reached,
    sum_up,
    useful,
    write_bundle,
)
from spokeshave.build.pgo.fit import fit_key
from spokeshave.build.pgo.plans import instrumented
from spokeshave.context import Context, Request
from spokeshave.errors import TrainError
from spokeshave.inside.model import BuildPlan, Target
from spokeshave.machine.files import unwritable
from spokeshave.machine.venvs import Venv, find_interpreter, install, make_venv
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.verify_schema import TrainingTable, VerifyTable
from spokeshave.sources.stock import stock_pin, stock_wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """The package and profile to collect for; `seconds` of its benchmarks run at each dispatch level."""

    package: str
    profile: str
    target: Target
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Exercise:
    """The work at each dispatch level: benchmarks, and those of upstream's tests that are not slow.

    The tests of `reach` write separate profile data.
    """

    suite: Path | None
    tests: tuple[str, ...]
    reach: tuple[str, ...]
    verify: VerifyTable


@dataclass(frozen=True, kw_only=True, slots=True)
class _Counts:
    """The folders of profile data: of the work, and of the tests that only show the reached functions."""

    counted: Path
    tested: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """A PGO profile in the folder of its recipe."""

    path: Path
    sha256: str
    manifest: Manifest

    @property
    def row(self) -> str:
        """The lines with which the recipe uses it."""
        name = f"{self.path.parent.name}/{self.path.name}"
        return f'[[training.bundles]]\nfile = "{name}"\nsha256 = "{self.sha256}"\n'


def train(context: Context, course: Course) -> Trained:
    """Makes the PGO profile of a package, in the folder `training` of its recipe.

    Raises TrainError if the recipe has no table for it, or no profile data were written; and what building
    and installing raise.
    """
    loaded = context.book.load(course.package)
    table = loaded.recipe.training
    if table is None or loaded.recipe.build.backend != "meson-python":
        raise TrainError(
            f"recipe {course.package} has no settings for PGO profile collection",
            next_step="add a table `[training]`; recipes/README.md describes it",
        )
    _check_writable(bundle_path(loaded, course.profile))
    python = find_interpreter(course.target, "PGO profile collection").path  # tried before hours of compiling
    libraries, plan = _plans(context, course)
    counting = instrumented(plan, loaded.recipe, table)
    built = pipeline.build(context, (*libraries, counting))
    exercise = _exercise(context, loaded, table, course, built[plan.recipe])
    with context.store.scratch() as scratch:
        counts = _Counts(counted=scratch / "counted", tested=scratch / "tested")
        venv = make_venv(scratch / "venv", context.runner, context.logs / "train-install.log", python=python)
        _install(context, loaded, course.target, built, venv)
        done = []
        for at, level in enumerate(table.dispatch):
            where = Workspace(
                venv=venv,
                home=scratch / f"work-{at}",
                counters=counts.counted,
                env={table.variable: level} if level else {},
                path=context.environ["PATH"],
                cpus=context.cpus,
                reporter=context.reporter,
            )
            done.append(_work(context, course, where, exercise, level))
            if exercise.reach:
                _reach(context, course, where, exercise, counts.tested)
        return _bundle(loaded, counting, fit_key(plan, table), tuple(done), counts)


def _plans(context: Context, course: Course) -> tuple[tuple[BuildPlan, ...], BuildPlan]:
    """The plans of the libraries that the package links, and its own, all without profile data."""
    request = Request(
        packages=(course.package,),
        profile=course.profile,
        target=course.target,
        engine="docker",
    )
    engine = pipeline.choose_engine(context, request.engine)
    where = pipeline.environment(context, engine, course.target, ready=True)
    *libraries, plan = pipeline.make_plans(context, request, where)
    return tuple(libraries), plan


def _exercise(
    context: Context, loaded: Loaded, table: TrainingTable, course: Course, built: Built
) -> _Exercise:
    """Raises TrainError if `reach` names tests, and the profile keeps the tests in the wheel."""
    tests = built.tests is not None
    if table.reach and not tests:
        raise TrainError(
            f"profile {course.profile} keeps the tests of {course.package} in its wheel; `reach` names some",
            next_step="use a profile that switches on the lever `tests`",
        )
    return _Exercise(
        suite=suite_of(context, loaded, course.target)[0] if table.suite else None,
        tests=table.tests if tests else (),
        reach=table.reach,
        verify=loaded.recipe.verify,
    )


def bundle_path(loaded: Loaded, profile: str) -> Path:
    """The file of the PGO profile of a recipe in a profile."""
    return loaded.folder / "training" / f"{profile}.tar.xz"


def _check_writable(path: Path) -> None:
    """Raises TrainError if the PGO profile could not be written, before hours of work."""
    if fault := unwritable(path.parent):
        raise TrainError(
            f"{path} cannot be written: {fault}",
            next_step="name a folder of recipes that you may write to: --recipes DIR",
        )


def _install(context: Context, loaded: Loaded, target: Target, built: dict[str, Built], venv: Venv) -> None:
    """Installs the instrumented wheel, its libraries and tests; the rest of the stack are PyPI wheels."""
    log = context.logs / "train-install.log"
    pins = [stock_pin(one, target, None) for one in stack_of(context, (loaded.recipe.name,))[:-1]]
    wheels = [stock_wheel(context, pin, target) for pin in pins if pin]
    wheels += [one.wheel for one in built.values()]
    lock = str(loaded.folder / loaded.recipe.verify.requires)
    for words in (RUNNER, ("-r", lock), tuple(map(str, wheels))):
        done = install(venv, words, context.runner, log)
        if not done.ok:
            tail = "\n  ".join(done.output.splitlines()[-4:])
            raise TrainError(f"the install for PGO profile collection failed:\n  {tail}", log=log)
    if archive := built[loaded.recipe.name].tests:
        with zipfile.ZipFile(archive) as files:
            files.extractall(venv.site)


def _work(context: Context, course: Course, where: Workspace, exercise: _Exercise, level: str) -> Work:
    """The work at one dispatch level, which is a value of the recipe's variable."""
    where.home.mkdir()
    levels = f"without {level}" if level else "at all dispatch levels"
    with context.reporter.stage(f"collecting profile data of {course.package} {levels}"):
        ran, failed = run_suite(where, exercise.suite, course.seconds) if exercise.suite else (0, 0)
        if exercise.tests:
            log = context.logs / "train-work.log"
            run_tests(where, exercise.tests, exercise.verify, context.runner, log)
    return Work(dispatch=level, cases=ran, failed=failed, tests=exercise.tests)


def _reach(context: Context, course: Course, where: Workspace, exercise: _Exercise, tested: Path) -> None:
    """Runs the tests that show which functions the work missed, with separate profile data."""
    with context.reporter.stage(f"collecting profile data of {course.package}: its `reach` tests"):
        apart = replace(where, counters=tested)
        run_tests(apart, exercise.reach, exercise.verify, context.runner, context.logs / "train-reach.log")


def _bundle(loaded: Loaded, plan: BuildPlan, fits: str, done: tuple[Work, ...], counts: _Counts) -> Trained:
    counted = counted_in(counts.counted)
    found = useful(counted)
    if not found:
        raise TrainError(f"{plan.recipe} wrote no profile data", next_step="read the log of the build")
    table = loaded.recipe.training
    small = table is not None and table.unreached == "small"
    others, tested = reached(counted, counted_in(counts.tested)) if small else ({}, 0)
    manifest = Manifest.model_validate(
        {
            "package": plan.recipe,
            "version": plan.version,
            "profile": plan.profile,
            "source": plan.source["sha256"],
            "flags": " ".join(plan.compile.flags["c"]),
            "image": plan.environment.image_digest,
            "fits": fits,
            "work": done,
            "processor": processor(),
            "reach": table.reach if table else (),
            "tested": tested,
            **sum_up(found),
        }
    )
    path = bundle_path(loaded, plan.profile)
    counters = {name: file.as_one_run() for name, file in found.items()}
    counters |= {f"{REACHED}/{name}": data for name, data in others.items()}
    return Trained(path=path, sha256=write_bundle(path, manifest, counters), manifest=manifest)
