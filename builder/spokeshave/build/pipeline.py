"""The stages in their order: plan, fetch, build. Each takes the value of the one before it."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from spokeshave import own_code
from spokeshave.build import dead_patterns, prebuilt, workdir
from spokeshave.build.delivery import Built, load_built, only_wheel
from spokeshave.build.engines.docker import DockerEngine
from spokeshave.build.engines.engine import Engine
from spokeshave.build.engines.host import HostEngine
from spokeshave.build.forecast import BOUNDS, Row, Step, about, estimate_of, keep_time, past_times
from spokeshave.build.images.choice import images_of
from spokeshave.build.libc_reach import reach_warning
from spokeshave.build.pgo import use
from spokeshave.build.pgo.plans import is_instrumented
from spokeshave.build.plan import make_plan
from spokeshave.build.side_by_side import LANES, StoppableRunner, run_side_by_side
from spokeshave.context import Context, EngineName, Request
from spokeshave.errors import BudgetError, BuildError, EngineDenied, EngineMissing, RecipeError
from spokeshave.inside.model import BuildPlan, Environment, Target, digest_of
from spokeshave.inside.sizes import sizes
from spokeshave.machine.containers import object_cache
from spokeshave.machine.toolchain import host_python, host_versions
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.book import Loaded, RecipeBook
from spokeshave.recipes.schema import Profile
from spokeshave.recipes.select import library_names
from spokeshave.sources.fetch import fetch

_DEAD = "unmatched.json"  # next to a compiled wheel: the patterns that no source matched


def choose_engine(context: Context, wanted: EngineName) -> Literal["docker", "host"]:
    """The engine to use; `auto` takes Docker where it answers, else the host, and says why."""
    if wanted == "host":
        return "host"
    try:
        version = context.containers.probe()
    except (EngineMissing, EngineDenied) as fault:
        if wanted == "docker":
            raise
        context.reporter.say(f"engine: host, because {fault.what}")
        return "host"
    if wanted == "auto":
        context.reporter.say(f"engine: docker {version}")
    return "docker"


def environment(
    context: Context, engine: Literal["docker", "host"], target: Target, *, ready: bool = False
) -> Environment:
    """Where plans are compiled: the build image, or this machine's compiler.

    With `ready`, the build image is made or pulled first: a local image's key holds its toolchain's versions.
    Raises ImageError or EngineMissing where that is not possible.
    """
    if engine == "docker":
        images = images_of(context)
        image = images.choose("build", target)
        if ready:
            context.containers.remove_orphans()
            with context.reporter.stage(f"build image {image.reference}"):
                image = images.ensure(image, target)
        return Environment(
            engine="docker",
            image=image.reference,
            image_digest=image.digest,
            toolchain=image.toolchain,
        )
    found = host_versions(context.runner, host_python(target))
    return Environment(engine="host", image="", image_digest=digest_of(found), toolchain=found)


def make_plans(context: Context, request: Request, where: Environment) -> tuple[BuildPlan, ...]:
    """The plans of the requested packages and of the libraries they link, in build order.

    They are without PGO profiles, and nothing but recipes and the profile is read.
    """
    done: dict[str, BuildPlan] = {}
    _check_budgeted(context.book, context.book.profile(request.profile))
    for name in request.packages:
        _plan_one(context, request, where, name, done)
    return tuple(done.values())


def _check_budgeted(book: RecipeBook, profile: Profile) -> None:
    """Raises RecipeError where the profile has a budget for a distribution that no recipe makes."""
    known = {book.load(name).recipe.distribution for name in book.names()}
    for name in profile.budgets:
        if name not in known:
            raise RecipeError(
                f"profile {profile.name}: [budgets] names {name!r}, which no recipe makes",
                next_step=did_you_mean(name, known),
            )


def _plan_one(
    context: Context,
    request: Request,
    where: Environment,
    name: str,
    done: dict[str, BuildPlan],
) -> BuildPlan:
    if name in done:
        return done[name]
    loaded = context.book.load(name)
    profile = context.book.profile(request.profile)
    libraries = tuple(
        _plan_one(context, request, where, library, done) for library in library_names(loaded.recipe, profile)
    )
    done[name] = make_plan(
        loaded,
        profile,
        request.target,
        where,
        tool=own_code.code_digests(),
        libraries=libraries,
        without=request.without if name in request.packages else frozenset(),
    )
    return done[name]


def make_trained_plans(context: Context, request: Request, where: Environment) -> use.Choice:
    """The plans with the PGO profiles that fit them, unless the request is for builds without these."""
    plans = make_plans(context, request, where)
    if not request.trained:
        return use.Choice(plans=plans, notes={})
    return use.choose_all(context.book.load, plans)


def make_engine(context: Context, where: Environment) -> Engine:
    """The engine of an environment, ready to use."""
    if where.engine == "host":
        return HostEngine(
            environment=where,
            environ=context.environ,
            cpus=context.cpus,
            runner=context.runner,
            on_line=context.reporter.line,
        )
    return DockerEngine(
        environment=where,
        environ=context.environ,
        cpus=context.cpus,
        runner=context.runner,
        containers=context.containers,
        objects=object_cache(context.store.root),
        on_line=context.reporter.line,
    )


def build(context: Context, plans: tuple[BuildPlan, ...]) -> dict[str, Built]:
    """Builds each plan at most once; returns the results by recipe name.

    Libraries come before the packages that link them. Other builds run side by side if there are two CPUs.
    Raises BuildError, BudgetError, or what fetching raises.
    """
    past = past_times(context)
    runner = StoppableRunner(context.runner)
    threaded = replace(context, runner=runner, store=replace(context.store, stopped=runner.is_stopped))

    def job(plan: BuildPlan) -> Built:
        with threaded.store.locked("built", plan.digest):
            done = _build_one(threaded, plan, _libraries(plan, plans), past)
        if warning := reach_warning(plan, done.wheel):
            context.reporter.say(warning)
        _check_budget(plan, done)
        return done

    def failed(name: str, running: tuple[str, ...]) -> None:
        if running:
            context.reporter.say(f"{name} failed; waiting for {', '.join(running)}, whose results are kept")

    return run_side_by_side(
        {plan.recipe: partial(job, plan) for plan in plans},
        {plan.recipe: [one.recipe for one in plans if one.distribution in plan.libraries] for plan in plans},
        lanes=min(LANES, context.cpus),
        failed=failed,
        stop=runner.stop,
    )


def _libraries(plan: BuildPlan, plans: Iterable[BuildPlan]) -> tuple[BuildPlan, ...]:
    """The plans of the libraries that a plan links."""
    return tuple(one for one in plans if one.distribution in plan.libraries)


def _build_one(
    context: Context, plan: BuildPlan, libraries: tuple[BuildPlan, ...], past: Sequence[Row]
) -> Built:
    started = time.monotonic()
    label = f"{plan.distribution} {plan.local_version}"
    entry = context.store.get("built", plan.digest)
    if entry is not None:
        context.reporter.say(f"{label}: in the store, nothing to do")
        return load_built(entry, plan.digest, cached=True)
    raw = _compiled(context, plan, libraries, past)
    loaded = context.book.load(plan.recipe)
    if (raw / _DEAD).is_file():
        dead_patterns.check_sources(loaded, plan, json.loads((raw / _DEAD).read_text("utf-8")))
    done = load_built(_finish(context, loaded, plan, only_wheel(raw), past), plan.digest, cached=False)
    seconds = time.monotonic() - started
    context.reporter.say(f"{label}: {done.wheel.stat().st_size / 1e6:.1f} MB wheel, {seconds:.0f} s")
    return done


def _compiled(
    context: Context, plan: BuildPlan, libraries: tuple[BuildPlan, ...], past: Sequence[Row]
) -> Path:
    """The entry of the compiled wheel, which profiles share that differ in what they remove.

    It links the compiled libraries: those have all symbols, and the finished ones maybe fewer. Patterns that
    matched no source are kept with it, and checked each time that it is taken.
    """
    if raw := context.store.get("compiled", plan.compile_key):
        return raw
    with context.store.locked("compiled", plan.compile_key):
        if raw := context.store.get("compiled", plan.compile_key):  # another profile's build has made it
            return raw
        linked = tuple(only_wheel(_compiled(context, library, (), past)) for library in libraries)
        fetched = fetch(context, plan)
        if plan.compile.backend == "prebuilt":
            fill = partial(prebuilt.assemble, plan, fetched.source)
            return context.store.put("compiled", plan.compile_key, fill)
        with context.store.scratch() as work:
            workdir.prepare(plan, fetched, linked, work)
            use.provide(context.book.load(plan.recipe), plan, work / "kit")
            compiled = work / "compiled"
            compiled.mkdir()
            label = f"{plan.distribution} {plan.local_version}"
            title = f"compiling {label} ({plan.environment.engine})"
            with _timed(context, plan, past, "compile", title):
                dead = make_engine(context, plan.environment).compile(
                    plan, work, compiled, _log(context, plan)
                )
            (compiled / _DEAD).write_text(json.dumps(dead), "utf-8")
            return context.store.put("compiled", plan.compile_key, partial(_copy, compiled.glob("*.*")))


def _finish(context: Context, loaded: Loaded, plan: BuildPlan, raw: Path, past: Sequence[Row]) -> Path:
    """The entry of the finished wheel."""
    engine = make_engine(context, plan.environment)
    with context.store.scratch() as work:
        workdir.prepare_finish(plan, fetch(context, plan), work)
        raw = workdir.with_removal_patches(plan, raw, work)
        output = work / "output"
        output.mkdir()
        with _timed(context, plan, past, "finish", f"finishing {plan.distribution} {plan.local_version}"):
            try:
                found = engine.finish(plan, work, raw, output, _log(context, plan))
            except BuildError as fault:
                dead_patterns.check_wheel(loaded, plan, fault.unmatched)
                raise
            dead_patterns.check_wheel(loaded, plan, found)
        (output / "plan.json").write_text(json.dumps(plan.to_json(), indent=1), "utf-8")
        return context.store.put("built", plan.digest, partial(_copy, output.glob("*.*")))


def _log(context: Context, plan: BuildPlan) -> Path:
    return context.logs / f"{plan.distribution}-{plan.local_version}-build.log"


@contextlib.contextmanager
def _timed(context: Context, plan: BuildPlan, past: Sequence[Row], step: Step, title: str) -> Iterator[None]:
    """A stage whose title says about how long it takes; how long it took is kept for later estimates."""
    guess = estimate_of(context, plan, step, past)
    started = time.monotonic()
    with context.reporter.stage(f"{title}, {BOUNDS[step]} {about(guess.seconds)}" if guess else title):
        yield
    if not is_instrumented(plan):  # it takes longer, and nobody waits for it in `build`
        keep_time(context, plan, step, time.monotonic() - started)


def _copy(files: Iterable[Path], folder: Path) -> None:
    for path in files:
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def _check_budget(plan: BuildPlan, built: Built) -> None:
    size = sizes(built.wheel).unpacked
    if plan.budget is not None and size > plan.budget:
        raise BudgetError(
            f"{built.wheel.name} is {size:,} bytes unpacked; profile {plan.profile!r} allows {plan.budget:,}",
            next_step=f"`unzip -lv {built.wheel}` shows where they sit; or raise the budget in the profile",
        )
