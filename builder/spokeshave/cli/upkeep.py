"""`doctor`, `image`, `clean`, `schema`: the machine, the images, the store, the format."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.table import Table

from spokeshave import doctor as doctoring
from spokeshave import schema as schemas
from spokeshave.cli.base import Globals, guarded
from spokeshave.cli.pythons import python_option
from spokeshave.errors import EngineDenied, EngineMissing
from spokeshave.images import KINDS, LOCAL_PYTHON, Kind, local_fault, local_image, official_image
from spokeshave.model import Target
from spokeshave.owners import Cleared


@click.command()
@python_option()
@click.option("--json", "as_json", is_flag=True, help="Write the checks as JSON to stdout.")
@click.pass_obj
@guarded
def doctor(options: Globals, python: str, as_json: bool) -> None:
    """Say what is missing for which engine, and the command that mends it.

    \b
    Example: spokeshave doctor --json
    """
    checks = doctoring.examine(options.context(), Target(python=python))
    ready = doctoring.usable(checks)
    if as_json:
        click.echo(json.dumps({"engines": ready, "checks": [asdict(c) for c in checks]}, indent=1))
    else:
        table = Table("for", "what", "state", "found", "to mend")
        for check in checks:
            state = "[green]ok[/]" if check.ok else "[red]missing[/]"
            table.add_row(check.engine, check.name, state, check.found, check.mend)
        options.stdout.print(table)
        options.stdout.print(f"engines ready: {', '.join(ready) or 'none'}")
    if not ready:
        raise EngineMissing("no engine is ready", next_step="mend what the table names, then ask again")


@click.group()
def image() -> None:
    """Make and list the images that the Docker engine uses."""


@image.command("build")
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS))
@python_option(among=(LOCAL_PYTHON,))
@click.pass_obj
@guarded
def image_build(options: Globals, kinds: tuple[Kind, ...], python: str) -> None:
    """Make local images from Debian packages: KINDS, or all of them.

    \b
    Example: spokeshave image build run
    """
    context = options.context()
    context.containers.probe()
    for kind in kinds or KINDS:
        with context.reporter.stage(f"making image {kind}"):
            made = context.images.make(kind, Target(python=python))
        options.stdout.print(made.reference, highlight=False)


@image.command("list")
@python_option()
@click.option("--json", "as_json", is_flag=True, help="Write the list as JSON to stdout.")
@click.pass_obj
@guarded
def image_list(options: Globals, python: str, as_json: bool) -> None:
    """List the official and local images, and which of them are here.

    \b
    Example: spokeshave image list --json
    """
    context = options.context()
    context.containers.probe()
    target = Target(python=python)
    rows = [
        {**asdict(one), "id": context.containers.image_id(one.reference)}
        for kind in KINDS
        for one in (official_image(kind, target), local_image(kind, target))
        if not (one.local and local_fault(target))
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        here = "here" if row["id"] else "not here"
        options.stdout.print(f"{row['kind']:<13} {here:<9} {row['reference']}", highlight=False)


@click.command()
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Also finished wheels and compiled objects, and what runs have left that may be alive elsewhere.",
)
@click.option("--json", "as_json", is_flag=True, help="Write what was removed as JSON to stdout.")
@click.pass_obj
@guarded
def clean(options: Globals, everything: bool, as_json: bool) -> None:
    """Remove logs, left-over containers and fetched sources; with --all the finished wheels too.

    What live runs use is kept. Nobody can tell whether a run is alive on another machine, or in another PID
    namespace (a CI job's container) with another cache: --all alone removes its containers and folders.

    \b
    Example: spokeshave clean --all
    """
    context = options.context()
    folders = context.store.sweep(unsure=everything)
    try:
        context.containers.probe()
        containers = context.containers.remove_orphans(unsure=everything)
        if everything:
            context.containers.remove_object_cache(context.store.root)
    except (EngineMissing, EngineDenied):
        containers = Cleared()
    freed = context.store.remove_logs(unsure=everything)
    if not (others := context.store.runs(but=context.logs.name)):
        freed += context.store.remove(() if everything else ("source", "wheels", "suite"))
    left, rest = containers.left + folders.left, {"containers": containers.removed, "bytes": freed}
    if as_json:
        click.echo(json.dumps({**rest, "left": left, "runs": others}))
        return
    options.stdout.print(f"{freed / 1e6:.1f} MB freed, {containers.removed} containers removed")
    if others:
        context.reporter.say(f"other runs use this store now ({others}): its entries are kept")
    if left:
        context.reporter.say(
            f"kept {containers.left} containers and {folders.left} folders of runs that may be alive on"
            " another machine or in another PID namespace; `spokeshave clean --all` removes them"
        )


@click.command()
@click.argument("what", type=click.Choice([*schemas.FORMATS, "reference"]))
@guarded
def schema(what: str) -> None:
    """Print the JSON Schema of a recipe's file or of profiles, or a reference of all keys in Markdown.

    \b
    Example: spokeshave schema recipe > recipe.schema.json
    """
    if what == "reference":
        click.echo(schemas.reference(), nl=False)
    else:
        click.echo(json.dumps(schemas.json_schema(what), indent=1))
