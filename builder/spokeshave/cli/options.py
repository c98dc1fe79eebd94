"""Options that several commands share, what completes them, and the settings that stand in for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from spokeshave.cli.common import recipe_folders
from spokeshave.inside.levers import LEVERS
from spokeshave.recipes.book import RecipeBook

# A setting of a project's file is also an environment variable. A parameter that takes the setting names the
# variable as its own: by that the file's values find their parameters.
VARIABLES = {
    "profile": ["SPOKESHAVE_PROFILE"],
    "python": ["SPOKESHAVE_PYTHON"],
    "index": ["SPOKESHAVE_INDEX"],
    "store": ["SPOKESHAVE_STORE", "SPOKESHAVE_CACHE"],
    "recipes": ["SPOKESHAVE_RECIPES"],
}
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def profile_option(told: str, *, setting: bool = True) -> Decorator:
    """`--profile NAME`, which is lean unless given or set; `told` is its help.

    Without `setting`, the project's file and the environment do not name it.
    """
    return click.option(
        "--profile",
        default="lean",
        show_default=True,
        metavar="NAME|FILE",
        envvar=VARIABLES["profile"] if setting else None,
        shell_complete=complete_profile,
        help=told,
    )


def packages_argument() -> Decorator:
    """`[PACKAGE...]`, by the names of recipes."""
    return click.argument("packages", nargs=-1, metavar="[PACKAGE...]", shell_complete=complete_package)


def all_option(told: str = "Select every Python package that has a recipe.") -> Decorator:
    """`--all`, in place of PACKAGEs."""
    return click.option("--all", "everything", is_flag=True, help=told)


def refuse_both_or_neither(packages: Sequence[str], everything: bool) -> None:
    """Raises click.UsageError unless either PACKAGEs are named or --all is given."""
    if everything == bool(packages):
        raise click.UsageError("name PACKAGEs, or give --all")


def json_option(told: str = "the result") -> Decorator:
    """`--json`; `told` is what it writes."""
    return click.option("--json", "as_json", is_flag=True, help=f"Write {told} as JSON to stdout.")


def complete_package(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The recipes that begin so."""
    return _beginning(incomplete, _book(context).names())


def complete_profile(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The profiles that begin so, or files."""
    found = _beginning(incomplete, _book(context).profile_names())
    return found or [CompletionItem(incomplete, type="file")]


def complete_lever(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The levers that begin so, with what they do."""
    return [CompletionItem(one.name, help=one.summary) for one in LEVERS if one.name.startswith(incomplete)]


def _book(context: click.Context) -> RecipeBook:
    return RecipeBook(recipe_folders(context.find_root().params.get("recipes")))


def _beginning(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
