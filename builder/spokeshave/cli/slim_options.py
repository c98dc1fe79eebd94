"""The options of `slim` and `shrink` on levers, recipes and rules, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from spokeshave.errors import WheelError
from spokeshave.inside.levers import LEVERS
from spokeshave.recipes.book import RecipeBook
from spokeshave.slim.arguments import read_extra
from spokeshave.slim.knowledge import Knowledge
from spokeshave.slim.locales import read_locales
from spokeshave.slim.model import DEFAULT_LEVERS, ON_REQUEST, Settings
from spokeshave.slim.recipe_use import Wish

Decorated = Callable[..., Any]
_OF_PROFILES = frozenset(lever.name for lever in LEVERS)


class _Locales(click.ParamType[tuple[str, ...]]):
    """A list of locales."""

    name = "locales"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return read_locales(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


_OPTIONS = (
    click.option("--docstrings", is_flag=True, help="Remove docstrings too: help() and __doc__ are empty."),
    click.option("--comments", is_flag=True, help="Remove comments too; line numbers are kept."),
    click.option("--indentation", is_flag=True, help="Indent by one space a level; line numbers are kept."),
    click.option(
        "--without",
        multiple=True,
        type=click.Choice(DEFAULT_LEVERS),
        help="Switch one lever (a size optimization) off: " + ", ".join(DEFAULT_LEVERS) + " (repeatable).",
        metavar="LEVER",
    ),
    click.option(
        "--keep",
        multiple=True,
        metavar="[LEVER:]GLOB",
        help="Leave matching files as they are; with a lever's name, for that lever alone (repeatable).",
    ),
    click.option("--no-recipe", is_flag=True, help="Use general rules also for packages that have a recipe."),
    click.option(
        "--remove",
        multiple=True,
        metavar="PACKAGE/COMPONENT",
        help="Remove this component of a recipe or of a package's rules, such as scipy/signal (repeatable).",
    ),
    click.option(
        "--locales",
        type=_Locales(),
        default=(),
        metavar="LIST",
        help="Keep the data of these languages only, such as de,en,pt_BR; the default keeps all.",
    ),
    click.option(
        "--blas",
        default="",
        metavar="WHEEL",
        help="Take the shared BLAS from this wheel, folder or requirement; else from --output or the store.",
    ),
)


def lever_options(command: Decorated) -> Decorated:
    """The options, in their order; `read_levers` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_levers(book: RecipeBook, given: Mapping[str, Any], profile: str) -> tuple[Settings, Knowledge]:
    """What the options ask for; a profile adds its removals, and decides on the levers that are on.

    Raises WheelError where `--blas` names a file that does not exist, and click's UsageError for a word that
    is no requirement.
    """
    without, removed = given["without"], given["remove"]
    chosen = book.profile(profile).levers if profile else dict.fromkeys(DEFAULT_LEVERS, True)
    on = [name for name in DEFAULT_LEVERS if name not in _OF_PROFILES or chosen.get(name)]
    more = [name for name in ON_REQUEST if chosen.get(name)]
    of_recipes = tuple(one for one in removed if one.partition("/")[0] in book.names())
    settings = Settings(
        levers=(*(n for n in on if n not in without), *(n for n in ON_REQUEST if given[n] or n in more)),
        keep=given["keep"],
        remove=tuple(one for one in removed if one not in of_recipes),
        locales=given["locales"],
    )
    wish = Wish(off=given["no_recipe"], profile=profile, remove=of_recipes)
    return settings, _knowledge(wish, given["blas"])


def _knowledge(wish: Wish, blas: str) -> Knowledge:
    """The knowledge of a wish; `blas` is a file, a folder or a requirement."""
    if not blas:
        return Knowledge(wish=wish)
    if Path(blas).exists():
        return Knowledge(wish=wish, blas=Path(blas))
    if blas.endswith(".whl") or "/" in blas:
        raise WheelError(
            f"--blas {blas}: no such file or folder", next_step="`spokeshave build openblas` makes one"
        )
    try:
        return Knowledge(wish=wish, wanted=read_extra(blas))
    except ValueError as fault:
        raise click.UsageError(f"--blas: {fault}") from fault
