"""`plan`, `fetch`, `build`, `measure`: what is built, and its making."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from spokeshave import budgets, pipeline, proofs, removal
from spokeshave import fetch as fetching
from spokeshave import measure as measuring
from spokeshave.cli.base import Globals, guarded, output_option
from spokeshave.cli.places import RESULT_FOLDER
from spokeshave.cli.pythons import python_option, refuse_unbuildable
from spokeshave.context import Context, EngineName, Request
from spokeshave.forecast import available_cpus, make_forecasts, summary
from spokeshave.model import BuildPlan, Target


def build_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what to build."""
    options: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = [
        click.argument("packages", nargs=-1, metavar="[PACKAGE...]"),
        click.option("--all", "everything", is_flag=True, help="Every Python package that has a recipe."),
        click.option("--profile", default="lean", show_default=True, help="Which levers are on."),
        python_option(),
        click.option(
            "--engine",
            type=click.Choice(["auto", "docker", "host"]),
            default="auto",
            show_default=True,
            help="Where to compile.",
        ),
        click.option("--without", multiple=True, metavar="LEVER", help="Leave one lever off."),
        click.option("--untrained", is_flag=True, help="Use no recipe's bundle, for comparison."),
        click.option("--json", "as_json", is_flag=True, help="Write the result as JSON to stdout."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _request(
    context: Context,
    *,
    packages: tuple[str, ...],
    profile: str,
    python: str,
    engine: EngineName,
    without: tuple[str, ...],
    untrained: bool,
    everything: bool,
) -> Request:
    if everything == bool(packages):
        raise click.UsageError("name PACKAGEs, or give --all")
    if everything:
        packages = tuple(loaded.recipe.name for loaded in removal.stack_recipes(context))
    return Request(
        packages=packages,
        profile=profile,
        target=Target(python=python),
        engine=engine,
        without=frozenset(without),
        trained=not untrained,
    )


def _plans(context: Context, request: Request) -> tuple[BuildPlan, ...]:
    profile = context.book.profile(request.profile)
    drafts = [name for name in request.packages if context.book.load(name).recipe.draft]
    if profile.draft or drafts:
        told = ", ".join([*([f"profile {profile.name}"] if profile.draft else []), *drafts])
        context.reporter.say(f"note: {told}: a draft, without a committed proof; verify what you build")
    engine = pipeline.choose_engine(context, request.engine)
    refuse_unbuildable(context, engine, request.target)
    where = pipeline.environment(context, engine, request.target)
    found = pipeline.make_trained_plans(context, request, where)
    for note in found.notes.values():
        context.reporter.say(note)
    removal.check_removals(context, profile, request.target)  # last, as it reads the sources of the stack
    return found.plans


def _warn_of_budgets(context: Context, request: Request, plans: tuple[BuildPlan, ...]) -> None:
    folders = [folder / "proofs" for folder in context.book.folders]

    def recorded(one: BuildPlan) -> budgets.Known:
        unpacked = proofs.recorded_bytes(folders, one)
        return budgets.Known(unpacked=unpacked, savings=proofs.recorded_savings(folders, one))

    for line in budgets.warnings(context, request, plans, recorded):
        context.reporter.say(line)


def _emit(data: object) -> None:
    click.echo(json.dumps(data, indent=1, sort_keys=True))


@click.command()
@build_options
@click.pass_obj
@guarded
def plan(options: Globals, as_json: bool, **request: Any) -> None:
    """Show the resolved plan and its digest; nothing is built.

    A profile that takes components out has the sources of the stack read, and fetched first if need be.

    \b
    Example: spokeshave plan numpy --profile full --json
    """
    context = options.context()
    wanted = _request(context, **request)
    plans = _plans(context, wanted)
    _warn_of_budgets(context, wanted, plans)
    left = make_forecasts(context, plans, available_cpus())
    if as_json:
        return _emit(
            [
                {**p.to_json(), "digest": p.digest, "compile_key": p.compile_key, **found.to_json()}
                for p, found in zip(plans, left, strict=True)
            ]
        )
    for one, found in zip(plans, left, strict=True):
        options.stdout.print(f"[bold]{one.distribution} {one.local_version}[/] for {one.target.identifier}")
        rows = {
            "digest": one.digest,
            "source": f"{one.source['pypi']} {one.source['version']}",
            "patches": ", ".join(one.patches) or "none",
            "engine": f"{one.environment.engine} {one.environment.image}",
            "libraries": ", ".join(f"{k}=={v}" for k, v in one.libraries.items()) or "none",
            "levers": ", ".join(lever.name for lever in one.levers),
            "removed": ", ".join(part.component for part in one.removed) or "nothing",
            "C flags": " ".join(one.compile.flags["c"]),
            "link flags": " ".join(one.compile.flags["link"]),
            "levels": "; ".join(f"{row.level} {row.match}" for row in one.compile.levels) or "one",
            "budget": f"{one.budget:,} bytes" if one.budget else "none",
            "store": str(found),
        }
        for key, value in rows.items():
            options.stdout.print(f"  {key:<11} {value}", markup=False, highlight=False, soft_wrap=True)
    options.stdout.print(summary(left), markup=False, highlight=False, soft_wrap=True)
    return None


@click.command()
@build_options
@click.pass_obj
@guarded
def fetch(options: Globals, as_json: bool, **request: Any) -> None:
    """Fetch sources and build requirements into the store, so that `build` needs no network.

    \b
    Example: spokeshave fetch numpy
    """
    context = options.context()
    got = {}
    for one in _plans(context, _request(context, **request)):
        found = fetching.fetch(context, one)
        kind = "wheel" if one.compile.backend == "prebuilt" else "sdist"
        got[one.recipe] = {kind: str(found.source), "requirements": [p.name for p in found.requirements]}
    if as_json:
        return _emit(got)
    for name, row in got.items():
        options.stdout.print(f"{name}: {row.get('sdist') or row['wheel']}", markup=False, soft_wrap=True)
    return None


@click.command()
@build_options
@output_option("Where the wheels go.")
@click.pass_obj
@guarded
def build(options: Globals, as_json: bool, output: Path, **request: Any) -> None:
    """Build slim wheels of PACKAGEs and the libraries they share.

    \b
    Examples:
      spokeshave build numpy
      spokeshave build openblas numpy --profile full --engine docker --output wheelhouse
      spokeshave build --all --profile lean
    """
    context = options.context()
    wanted = _request(context, **request)
    plans = _plans(context, wanted)
    _warn_of_budgets(context, wanted, plans)
    pipeline.refuse_namesakes(plans, output)
    context.reporter.say(summary(make_forecasts(context, plans, available_cpus())))
    built = pipeline.build(context, plans)
    wheels = pipeline.deliver(context, plans, built, output)
    if as_json:
        return _emit(
            [
                {"wheel": str(path), "digest": p.digest, "cached": built[p.recipe].cached}
                for path, p in zip(wheels, plans, strict=True)
            ]
        )
    for path in wheels:
        options.stdout.print(str(path), markup=False, highlight=False, soft_wrap=True)
    return None


@click.command()
@build_options
@click.option(
    "--record",
    type=RESULT_FOLDER,
    metavar="DIR",
    help="Also add the results to the records of proofs there.",
)
@click.pass_obj
@guarded
def measure(options: Globals, as_json: bool, record: Path | None, **request: Any) -> None:
    """Weigh the levers that act on the compile: one build of PACKAGEs without each of them.

    The report shows the results. Each build takes as long as the first one did.

    \b
    Examples:
      spokeshave measure numpy --profile lean
      spokeshave measure openblas numpy --profile lean --record recipes/proofs
    """
    context = options.context()
    wanted = _request(context, **request)
    plans = _plans(context, wanted)
    measuring.measure(context, wanted, plans)
    known = {one.distribution: dict(measuring.known(context, one)) for one in plans}
    for one in plans if record else ():
        if not proofs.record_savings(record or Path(), one, known[one.distribution]):
            context.reporter.say(f"{one.recipe}: no record that fits; verify with --record first")
    if as_json:
        return _emit(known)
    for name, row in known.items():
        for lever, saved in row.items():
            options.stdout.print(f"{name:<14} {lever:<13} {saved:>12,} bytes", highlight=False)
    return None
