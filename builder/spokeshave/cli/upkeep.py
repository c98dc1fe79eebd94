"""`doctor`, `image`, `clean`, `schema`: the machine, the images, the store, the format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.text import Text

from spokeshave.build import doctor as doctoring
from spokeshave.build.images.choice import images_of
from spokeshave.build.images.local import LOCAL_PYTHON, local_fault, local_image
from spokeshave.build.images.model import KINDS, Kind
from spokeshave.build.images.official import official_image
from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command, Group
from spokeshave.cli.options import json_option
from spokeshave.cli.python_option import python_option
from spokeshave.errors import EngineDenied, EngineMissing
from spokeshave.inside.model import Target
from spokeshave.machine.listing import Column, Listing, say, show
from spokeshave.machine.owners import Cleared
from spokeshave.recipes import reference as schemas


@click.command(cls=Command)
@python_option("Check the needs of builds for this Python, given as a tag.")
@json_option("the checks")
@click.pass_obj
@guarded
def doctor(options: Globals, python: str, as_json: bool) -> None:
    """Check the needs of each engine on this machine, and show how to install missing tools.

    \b
    Example: spokeshave doctor --json
    """
    checks = doctoring.examine(options.context(), Target(python=python))
    ready = doctoring.usable(checks)
    if as_json:
        click.echo(json.dumps({"engines": ready, "checks": [asdict(c) for c in checks]}, indent=1))
    else:
        show(options.stdout, check_table(checks))
        say(options.stdout, f"engines ready: {', '.join(ready) or 'none'}")
    if not ready:
        raise EngineMissing(
            "no engine is ready", next_step="install the tools in the table, then run this again"
        )


def check_table(checks: Sequence[doctoring.Check]) -> Listing:
    """The needs of each engine, their state, and the command that installs them."""
    states = {True: Text("ok", style="green"), False: Text("missing", style="red")}
    columns = [Column("for", whole=True), Column("what"), Column("state", whole=True), Column("found")]
    return Listing(
        columns=[*columns, Column("to install it")],
        rows=[(one.engine, one.name, states[one.ok], one.found, one.mend) for one in checks],
    )


@click.group(cls=Group)
def image() -> None:
    """Make and list the images that the Docker engine uses."""


@image.command("build", cls=Command)
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS))
@python_option("Make the images for this Python, given as a tag.", among=(LOCAL_PYTHON,))
@click.pass_obj
@guarded
def image_build(options: Globals, kinds: tuple[Kind, ...], python: str) -> None:
    """Make the local images of KINDS, or of all kinds, from Debian packages.

    \b
    Example: spokeshave image build run
    """
    context = options.context()
    context.containers.probe()
    for kind in kinds or KINDS:
        with context.reporter.stage(f"making image {kind}"):
            made = images_of(context).local.make(kind, Target(python=python))
        options.stdout.print(made.reference, highlight=False)


@image.command("list", cls=Command)
@python_option("List the images for this Python, given as a tag.")
@json_option("the list")
@click.pass_obj
@guarded
def image_list(options: Globals, python: str, as_json: bool) -> None:
    """List the official and local images, and whether each is on this machine.

    \b
    Example: spokeshave image list --json
    """
    context = options.context()
    context.containers.probe()
    target = Target(python=python)
    images = images_of(context)
    rows = [
        {**asdict(one), "id": context.containers.image_id(one.reference)}
        for kind in KINDS
        for one in (official_image(kind, target), images.as_made(local_image(kind, target)))
        if not (one.local and local_fault(target))
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        here = "here" if row["id"] else "not here"
        options.stdout.print(f"{row['kind']:<13} {here:<9} {row['reference']}", highlight=False)
        for name, version in row["toolchain"].items():
            options.stdout.print(f"{'':<23} {name} {version}", highlight=False)


@click.command(cls=Command)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Remove finished wheels, compiled objects and the remains of runs that may be alive elsewhere too.",
)
@json_option("the counts and bytes removed")
@click.pass_obj
@guarded
def clean(options: Globals, everything: bool, as_json: bool) -> None:
    """Remove logs, left-over containers and fetched sources.

    Files that live runs use are kept. A run on another machine, or in another PID namespace (a CI job's
    container), may be alive without a sign here: only --all removes its containers and folders.

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


@click.command(cls=Command)
@click.argument("what", type=click.Choice([*schemas.FORMATS, "reference"]), metavar="FORMAT")
@guarded
def schema(what: str) -> None:
    """Print the JSON Schema of a recipe's file, of profiles or rules, or a reference of all keys in Markdown.

    \b
    Example: spokeshave schema recipe > recipe.schema.json
    """
    if what == "reference":
        click.echo(schemas.reference(), nl=False)
    else:
        click.echo(json.dumps(schemas.json_schema(what), indent=1))
