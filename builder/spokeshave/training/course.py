"""A training from one end to the other: build with counters, work, bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spokeshave import pipeline
from spokeshave.bench.race import suite_of
from spokeshave.bench.sides import RUNNER, stack_of
from spokeshave.context import Context, Request
from spokeshave.errors import TrainError
from spokeshave.model import BuildPlan, Built, Target
from spokeshave.recipes import Loaded
from spokeshave.training.bundle import Manifest, Work, sum_up, useful, write_bundle
from spokeshave.training.plans import fit_key, instrumented
from spokeshave.training.work import Place, run_suite, run_tests
from spokeshave.trial import stock_pin, stock_wheel
from spokeshave.venvs import Venv, find_interpreter, install, make_venv


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What is trained: a package in a profile, `seconds` of its benchmarks at each dispatch level."""

    package: str
    profile: str
    target: Target
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """A bundle as it lies beside its recipe."""

    path: Path
    sha256: str
    manifest: Manifest

    @property
    def row(self) -> str:
        """What the recipe says to use it."""
        name = f"{self.path.parent.name}/{self.path.name}"
        return f'[[training.bundles]]\nfile = "{name}"\nsha256 = "{self.sha256}"\n'


def train(context: Context, course: Course) -> Trained:
    """Makes the bundle of a package, into the folder `training` of its recipe.

    Raises TrainError where the recipe says nothing of training, Docker's engine does not run, or nothing was
    counted; and what building and installing raise.
    """
    loaded = context.book.load(course.package)
    table = loaded.recipe.training
    if table is None or loaded.recipe.build.backend != "meson-python":
        raise TrainError(
            f"recipe {course.package} is not trained",
            next_step="give it a table [training]; recipes/README.md describes it",
        )
    request = Request(
        packages=(course.package,),
        profile=course.profile,
        target=course.target,
        engine="docker",
        trained=False,
    )
    where = pipeline.environment(context, pipeline.choose_engine(context, request.engine), course.target)
    *libraries, plan = pipeline.make_plans(context, request, where)
    counting = instrumented(plan, loaded.recipe, table)
    built = pipeline.build(context, (*libraries, counting))
    with context.store.scratch() as scratch:
        counters = scratch / "counters"
        venv = _install(context, loaded, course.target, built, scratch)
        done = []
        for at, level in enumerate(table.dispatch):
            env = {"GCOV_PREFIX": str(counters)} | ({table.variable: level} if level else {})
            home = scratch / f"work-{at}"
            home.mkdir()
            place = Place(venv=venv, home=home, env=env, reporter=context.reporter)
            done.append(_work(context, course, built[plan.recipe], place, level))
        return _bundle(loaded, plan, tuple(done), counters, where.image_digest)


def _install(context: Context, loaded: Loaded, target: Target, built: dict[str, Built], folder: Path) -> Venv:
    """A venv with the counting wheel and its libraries; what else it is proved with comes as stock."""
    python = find_interpreter(target)
    if python is None:
        raise TrainError(
            f"training needs Python {target.python_version} on PATH",
            next_step=f"install python{target.python_version} and its -venv package",
        )
    log = context.logs / "train-install.log"
    venv = make_venv(folder / "venv", context.runner, log, python=python)
    pins = [stock_pin(one, target, None) for one in stack_of(context, (loaded.recipe.name,))[:-1]]
    wheels = [stock_wheel(context, pin, target) for pin in pins if pin] + [
        one.wheel for one in built.values()
    ]
    for words in (
        RUNNER,
        ("-r", str(loaded.folder / loaded.recipe.verify.requires)),
        tuple(map(str, wheels)),
    ):
        done = install(venv, words, context.runner, log)
        if not done.ok:
            tail = "\n  ".join(done.output.splitlines()[-4:])
            raise TrainError(f"the install for the training failed:\n  {tail}", log=log)
    return venv


def _work(context: Context, course: Course, built: Built, place: Place, level: str) -> Work:
    """The work at one dispatch level, which is a value of the recipe's variable."""
    loaded = context.book.load(course.package)
    table = loaded.recipe.training
    assert table is not None
    ran = failed = 0
    told = f"without {level}" if level else "at all dispatch levels"
    with context.reporter.stage(f"training {course.package} {told}"):
        if table.suite:
            suite, _ = suite_of(context, loaded, course.target)
            ran, failed = run_suite(place, suite, course.seconds)
        if table.tests and built.tests:
            run_tests(place, built.tests, table.tests, context.runner, context.logs / "train-work.log")
    return Work(dispatch=level, cases=ran, failed=failed, tests=table.tests)


def _bundle(loaded: Loaded, plan: BuildPlan, done: tuple[Work, ...], counters: Path, image: str) -> Trained:
    found = useful(counters) if counters.is_dir() else {}
    if not found:
        raise TrainError(f"nothing of {plan.recipe} was counted", next_step="look into the log of the build")
    manifest = Manifest.model_validate(
        {
            "package": plan.recipe,
            "version": plan.version,
            "profile": plan.profile,
            "source": plan.source["sha256"],
            "flags": " ".join(plan.compile.flags["c"]),
            "image": image,
            "fits": fit_key(plan),
            "work": done,
            **sum_up(found),
        }
    )
    path = loaded.folder / "training" / f"{plan.profile}.tar.xz"
    return Trained(path=path, sha256=write_bundle(path, manifest, found), manifest=manifest)
