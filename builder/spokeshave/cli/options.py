"""Options that several commands share, and their completion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from spokeshave.cli.common import end_with, recipe_folders
from spokeshave.cli.settings import VARIABLES, Settings, settings_error
from spokeshave.inside.levers import LEVERS
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.book import RecipeBook

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def profile_option(text: str, *, setting: bool = True) -> Decorator:
    """`--profile NAME`, which is lean unless given or set; `text` is its help.

    Without `setting`, the project's file and the environment do not name it.
    """
    return click.option(
        "--profile",
        default="lean",
        show_default=True,
        metavar="NAME|FILE",
        envvar=VARIABLES["profile"] if setting else None,
        callback=_checked_profile,
        shell_complete=complete_profile,
        help=text,
    )


def _checked_profile(context: click.Context, option: click.Parameter, name: str) -> str:
    """The profile's name; ends with SettingsError for an unknown one that is from the project's file."""
    from_file = context.get_parameter_source(str(option.name)) is ParameterSource.DEFAULT_MAP
    if not from_file or name.endswith(".toml") or context.resilient_parsing:
        return name
    if name not in (known := _book(context).profile_names()):
        fault = f"there is no profile {name!r}; {did_you_mean(name, known)}"
        end_with(settings_error(Settings.of(context), {"profile": fault}))
    return name


def packages_argument() -> Decorator:
    """`[PACKAGE...]`, by the names of recipes."""
    return click.argument("packages", nargs=-1, metavar="[PACKAGE...]", shell_complete=complete_package)


def all_option(text: str = "Select every Python package that has a recipe.") -> Decorator:
    """`--all`, instead of PACKAGEs."""
    return click.option("--all", "everything", is_flag=True, help=text)


def refuse_both_or_neither(packages: Sequence[str], everything: bool) -> None:
    """Raises click.UsageError unless either PACKAGEs are named or --all is given."""
    if everything == bool(packages):
        both = "give either PACKAGEs or --all, not both"
        raise click.UsageError(both if everything else "name PACKAGEs, or give --all")


def json_option(content: str = "the result") -> Decorator:
    """`--json`; `content` names its output."""
    return click.option("--json", "as_json", is_flag=True, help=f"Write {content} as JSON to stdout.")


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
    """The levers that begin so, with their effects."""
    return [CompletionItem(one.name, help=one.summary) for one in LEVERS if one.name.startswith(incomplete)]


def _book(context: click.Context) -> RecipeBook:
    return RecipeBook(recipe_folders(context.find_root().params.get("recipes")))


def _beginning(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
