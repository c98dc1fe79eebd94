"""`explain`: why a module is in or out; `components`: what a profile may take out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from spokeshave.cli.base import Globals, guarded
from spokeshave.cli.pythons import python_option
from spokeshave.explain import Explanation, Offer, offers
from spokeshave.explain import explain as look_up
from spokeshave.model import Target
from spokeshave.removal import stack_recipes

_SHOWN = 10

_wheelhouse = click.option(
    "--wheelhouse",
    type=click.Path(path_type=Path, file_okay=False),
    default="wheelhouse",
    show_default=True,
    metavar="DIR",
    help="Wheels to weigh in.",
)


@click.command()
@click.argument("module")
@click.option("--profile", default="lean", show_default=True, help="Which profile to ask.")
@python_option()
@_wheelhouse
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON to stdout.")
@click.pass_obj
@guarded
def explain(
    options: Globals, *, module: str, profile: str, python: str, wheelhouse: Path, as_json: bool
) -> None:
    """Tell why MODULE is in a profile's wheels or out of them, who imports it, and what it weighs.

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
        options.stdout.print(line, markup=False, highlight=False, soft_wrap=True)


def _lines(found: Explanation) -> list[str]:
    if found.component:
        lines = [
            f"{found.module} is OUT of profile {found.profile!r}: component {found.component}, {found.reason}"
        ]
    else:
        lines = [f"{found.module} is IN profile {found.profile!r}"]
        if found.offered:
            lines.append(f"  a profile can take it out as component {found.offered}")
    if found.traced:
        lines.append(f"  the traced runs showed: {found.traced}")
        lines += [f"    {run}" for run in found.runs]
    lines.append(f"  needed: {found.needed or 'by no public module but itself'}")
    lines.append(f"  imported elsewhere: {len(found.users)} times")
    lines += [f"    {user}" for user in found.users[:_SHOWN]]
    if len(found.users) > _SHOWN:
        lines.append(f"    … and {len(found.users) - _SHOWN} more (--json lists all)")
    for wheel, size in found.weight.items():
        stub = ", where its stub stands" if wheel in found.stubs else ""
        lines.append(f"  weighs {size:,} bytes in {wheel}{stub}")
    if set(found.weight) <= set(found.stubs):
        lines.append("  no wheel in the wheelhouse has it, to weigh it in (spokeshave build; --wheelhouse)")
    return lines


@click.command()
@click.argument("packages", metavar="[PACKAGE...]", nargs=-1)
@click.option("--profile", default="lean", show_default=True, help="Which profile to ask.")
@_wheelhouse
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON to stdout.")
@click.pass_obj
@guarded
def components(
    options: Globals, *, packages: tuple[str, ...], profile: str, wheelhouse: Path, as_json: bool
) -> None:
    """List what a profile may take out of PACKAGEs, by weight: a row of [[remove]] names a component.

    Without PACKAGE, of the whole stack. Weighed in wheels of the wheelhouse that have the component.

    \b
    Examples:
      spokeshave components scipy
      spokeshave components --profile sklearn --json
    """
    context = options.context()
    named = [context.book.load(name) for name in packages] or stack_recipes(context)
    wheels = sorted(wheelhouse.glob("*.whl"))
    chosen = context.book.profile(profile)
    found = [offer for loaded in named for offer in offers(loaded, chosen, wheels)]
    found.sort(key=lambda offer: -(offer.weight or 0))
    if as_json:
        click.echo(json.dumps([asdict(offer) for offer in found], indent=1, sort_keys=True))
        return
    for offer in found:
        options.stdout.print(_row(offer), markup=False, highlight=False, soft_wrap=True)


def _row(offer: Offer) -> str:
    weight = "      ?   " if offer.weight is None else f"{offer.weight / 1e6:7.2f} MB"
    out = f" (OUT: {offer.reason})" if offer.removed else ""
    return f"{weight}  {offer.component}: {offer.summary}{out}"
