"""`plan`, `fetch`, `build`, `ablate`: from recipes to wheels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from spokeshave.build import ablation as measuring
from spokeshave.build import budgets, delivery, pipeline
from spokeshave.build.forecast import make_forecasts, summary
from spokeshave.cli.common import Globals, guarded, output_option
from spokeshave.cli.help import Command
from spokeshave.cli.options import (
    all_option,
    complete_lever,
    json_option,
    packages_argument,
    profile_option,
    refuse_both_or_neither,
)
from spokeshave.cli.paths import RESULT_FOLDER
from spokeshave.cli.python_option import python_option, refuse_unbuildable
from spokeshave.context import Context, EngineName, Request
from spokeshave.inside.model import BuildPlan, Target
from spokeshave.machine.listing import Column, Listing, say, show
from spokeshave.removal import check
from spokeshave.sources import fetch as fetching
from spokeshave.verify import records


def build_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that select the wheels to build."""
    options: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = [
        packages_argument(),
        all_option(),
        profile_option("Use this profile: the levers, the BLAS, the components to remove."),
        python_option(),
        click.option(
            "--engine",
            type=click.Choice(["auto", "docker", "host"]),
            default="auto",
            show_default=True,
            help="Compile in containers or on this host; auto uses Docker if it answers.",
        ),
        click.option(
            "--without",
            multiple=True,
            metavar="LEVER",
            shell_complete=complete_lever,
            help="Switch one lever (a size optimization of the profile) off (repeatable).",
        ),
        click.option(
            "--untrained", is_flag=True, help="Compile without profile data (no PGO), for comparison."
        ),
        json_option(),
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
    refuse_both_or_neither(packages, everything)
    if everything:
        packages = tuple(loaded.recipe.name for loaded in check.stack_recipes(context))
    return Request(
        packages=packages,
        profile=profile,
        target=Target(python=python),
        engine=engine,
        without=frozenset(without),
        trained=not untrained,
    )


def _plans(context: Context, request: Request, *, ready: bool = False) -> tuple[BuildPlan, ...]:
    """The plans of a request; with `ready`, the build image is made or pulled first, as the keys need it."""
    profile = context.book.profile(request.profile)
    drafts = [name for name in request.packages if context.book.load(name).recipe.draft]
    if profile.draft or drafts:
        named = ", ".join([*([f"profile {profile.name}"] if profile.draft else []), *drafts])
        context.reporter.say(
            f"note: {named}: a draft without a committed verification record; verify what you build"
        )
    engine = pipeline.choose_engine(context, request.engine)
    refuse_unbuildable(context, engine, request.target)
    where = pipeline.environment(context, engine, request.target, ready=ready)
    if not where.is_known:
        context.reporter.say(
            "note: the build image is not made yet; the keys depend on the versions that it will have"
        )
    found = pipeline.make_trained_plans(context, request, where)
    for note in found.notes.values():
        context.reporter.say(note)
    check.check_removals(context, profile, request.target)  # last, as it reads the sources of the stack
    return found.plans


def _warn_of_budgets(context: Context, request: Request, plans: tuple[BuildPlan, ...]) -> None:
    folders = [folder / "proofs" for folder in context.book.folders]

    def recorded(one: BuildPlan) -> budgets.Known:
        unpacked = records.recorded_bytes(folders, one)
        return budgets.Known(unpacked=unpacked, savings=records.recorded_savings(folders, one))

    for line in budgets.warnings(context, request, plans, recorded):
        context.reporter.say(line)


def _emit(data: object) -> None:
    click.echo(json.dumps(data, indent=1, sort_keys=True))


@click.command(cls=Command)
@build_options
@click.pass_obj
@guarded
def plan(options: Globals, as_json: bool, **request: Any) -> None:
    """Show the resolved plan of PACKAGEs and its digest; build nothing.

    If the profile removes components, the sources of the stack are read, and fetched if the store lacks them.

    \b
    Example: spokeshave plan numpy --profile full --json
    """
    context = options.context()
    wanted = _request(context, **request)
    plans = _plans(context, wanted)
    _warn_of_budgets(context, wanted, plans)
    left = make_forecasts(context, plans)
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
            "patches": ", ".join((*one.patches, *one.removal_patches)) or "none",
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
            say(options.stdout, f"  {key:<11} {value}", indent=" " * 12)
    say(options.stdout, summary(left))
    return None


@click.command(cls=Command)
@build_options
@click.pass_obj
@guarded
def fetch(options: Globals, as_json: bool, **request: Any) -> None:
    """Fetch the sources and build requirements of PACKAGEs, so that `build` needs no network.

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


@click.command(cls=Command)
@build_options
@output_option()
@click.pass_obj
@guarded
def build(options: Globals, as_json: bool, output: Path, **request: Any) -> None:
    """Build slim wheels of PACKAGEs and of the libraries that they share.

    Wheels that the store has are taken from there. An interrupted build continues where it stopped.

    \b
    Examples:
      spokeshave build numpy
      spokeshave build openblas numpy --profile full --engine docker --output wheelhouse
      spokeshave build --all --profile lean
    """
    context = options.context()
    wanted = _request(context, **request)
    plans = _plans(context, wanted, ready=True)
    _warn_of_budgets(context, wanted, plans)
    delivery.refuse_namesakes(plans, output)
    context.reporter.say(summary(make_forecasts(context, plans)))
    built = pipeline.build(context, plans)
    wheels = delivery.deliver(context, plans, built, output)
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


@click.command(cls=Command)
@build_options
@click.option(
    "--record",
    type=RESULT_FOLDER,
    metavar="DIR",
    help="Add the results to the verification records in this folder too.",
)
@click.pass_obj
@guarded
def ablate(options: Globals, as_json: bool, record: Path | None, **request: Any) -> None:
    """Build PACKAGEs without each lever of the compile in turn, and record the bytes that it saves.

    One lever is switched off in each build. A build takes about as long as the package's first one, and the
    store keeps its result: the next run continues with the levers that are left. `report` shows the results.
    Levers that act on the finished wheel need no such build: the report always has them.

    \b
    Examples:
      spokeshave ablate numpy
      spokeshave ablate numpy --profile full --json
      spokeshave ablate openblas numpy --record recipes/proofs
    """
    context = options.context()
    wanted = _request(context, **request)
    plans = _plans(context, wanted, ready=True)
    measuring.measure(context, wanted, plans)
    known = {one.distribution: dict(measuring.known(context, one)) for one in plans}
    for one in plans if record else ():
        if not records.record_savings(record or Path(), one, known[one.distribution]):
            context.reporter.say(
                f"{one.recipe}: no verification record in {record} fits; run `spokeshave verify` first"
            )
    if as_json:
        return _emit(known)
    rows = [(name, lever, f"{saved:,}") for name, row in known.items() for lever, saved in row.items()]
    columns = (Column("wheel", whole=True), Column("lever", whole=True), Column("bytes saved", number=True))
    show(options.stdout, Listing(columns=columns, rows=rows))
    return None


measure = Command(
    name="measure",
    callback=ablate.callback,
    params=ablate.params,
    help=ablate.help,
    hidden=True,
    deprecated="its name is `spokeshave ablate` now",
)
