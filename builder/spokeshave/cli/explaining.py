"""`explain`: why a module is kept or removed; `components`: what a profile may remove."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.options import (
    all_option,
    json_option,
    packages_argument,
    profile_option,
    refuse_both_or_neither,
)
from spokeshave.cli.python_option import python_option
from spokeshave.inside.model import Target
from spokeshave.machine.listing import Column, Listing, say, show
from spokeshave.removal.check import stack_recipes
from spokeshave.removal.explain import Explanation, Offer, offers
from spokeshave.removal.explain import explain as look_up

_SHOWN = 10

_wheelhouse = click.option(
    "--wheelhouse",
    type=click.Path(path_type=Path, file_okay=False),
    default="wheelhouse",
    show_default=True,
    metavar="DIR",
    help="Read the sizes from the wheels in this folder.",
)


@click.command(cls=Command)
@click.argument("module")
@profile_option("Look the module up in the wheels of this profile.")
@python_option("Follow the imports for this Python, given as a tag.")
@_wheelhouse
@json_option()
@click.pass_obj
@guarded
def explain(
    options: Globals, *, module: str, profile: str, python: str, wheelhouse: Path, as_json: bool
) -> None:
    """Show why a profile keeps or removes MODULE, which modules import it, and its size.

    \b
    Examples:
      spokeshave explain scipy.signal --profile sklearn
      spokeshave explain scipy.cluster.hierarchy
    """
    context = options.context()
    wheels = sorted(wheelhouse.glob("*.whl"))
    found = look_up(context, module, context.book.profile(profile), Target(python=python), wheels)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1, sort_keys=True))
        return
    for line in _lines(found):
        say(options.stdout, line, indent="  ")


def _lines(found: Explanation) -> list[str]:
    if found.component:
        lines = [
            f"{found.module} is removed in profile {found.profile!r}: "
            f"component {found.component}, {found.reason}"
        ]
    else:
        lines = [f"{found.module} is kept in profile {found.profile!r}"]
        if found.offered:
            lines.append(f"  a profile can remove it as component {found.offered}")
    if found.traced:
        lines.append(f"  the traced runs showed: {found.traced}")
        lines += [f"    {run}" for run in found.runs]
    lines.append(f"  needed: {found.needed or 'by no public module but itself'}")
    lines.append(f"  imported elsewhere: {len(found.users)} times")
    lines += [f"    {user}" for user in found.users[:_SHOWN]]
    if len(found.users) > _SHOWN:
        lines.append(f"    … and {len(found.users) - _SHOWN} more (--json lists all)")
    for wheel, size in found.weight.items():
        stub = " (its stub module)" if wheel in found.stubs else ""
        lines.append(f"  size: {size:,} bytes in {wheel}{stub}")
    if set(found.weight) <= set(found.stubs):
        lines.append(
            "  no wheel in the wheelhouse has it, so its size is not known (spokeshave build; --wheelhouse)"
        )
    return lines


@click.command(cls=Command)
@packages_argument()
@all_option("List those of every package that has a recipe.")
@profile_option("Mark the components that this profile removes.")
@_wheelhouse
@json_option()
@click.pass_obj
@guarded
def components(
    options: Globals,
    *,
    packages: tuple[str, ...],
    everything: bool,
    profile: str,
    wheelhouse: Path,
    as_json: bool,
) -> None:
    """List the components that a profile may remove from PACKAGEs, the largest first.

    Name one in a `[[remove]]` row of a profile to remove it. The sizes are those in the wheels of the
    wheelhouse, in MB (10^6 bytes) unpacked; `?` where no wheel there has the component.

    \b
    Examples:
      spokeshave components scipy
      spokeshave components numpy pandas --wheelhouse dist
      spokeshave components --all --profile sklearn --json
    """
    refuse_both_or_neither(packages, everything)
    context = options.context()
    named = stack_recipes(context) if everything else [context.book.load(name) for name in packages]
    wheels = sorted(wheelhouse.glob("*.whl"))
    chosen = context.book.profile(profile)
    found = [offer for loaded in named for offer in offers(loaded, chosen, wheels)]
    found.sort(key=lambda offer: -(offer.weight or 0))
    if as_json:
        click.echo(json.dumps([asdict(offer) for offer in found], indent=1, sort_keys=True))
        return
    show(options.stdout, component_table(found))


def component_table(found: Sequence[Offer]) -> Listing:
    """Components with their sizes, and the reasons of those that the profile removes."""
    columns = [Column("MB", number=True), Column("component", whole=True), Column("content")]
    rows: list[tuple[str, ...]] = [(_size(one), one.component, one.summary) for one in found]
    if any(one.removed for one in found):
        columns.append(Column("removed because"))
        rows = [(*row, one.reason) for row, one in zip(rows, found, strict=True)]
    return Listing(columns=columns, rows=rows)


def _size(offer: Offer) -> str:
    return "?" if offer.weight is None else f"{offer.weight / 1e6:.2f}"
