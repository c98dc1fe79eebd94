"""`shrink`: an index of slim wheels of all that an application requires."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from packaging.utils import canonicalize_name

from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.options import json_option, profile_option
from spokeshave.cli.paths import RESULT_FOLDER
from spokeshave.cli.python_option import python_option
from spokeshave.cli.slim_options import lever_options, read_levers
from spokeshave.inside.model import Target
from spokeshave.machine.listing import Column, Listing, say, show
from spokeshave.recipes.book import RecipeBook
from spokeshave.shrink.app_tests import pytest_arguments
from spokeshave.shrink.inputs import python_of
from spokeshave.shrink.model import ShrinkRequest
from spokeshave.shrink.stages import Shrunk
from spokeshave.shrink.stages import shrink as run_shrink

_ARCHES = ("x86_64", "aarch64")


@click.command(cls=Command)
@click.argument("inputs", nargs=-1, required=True, metavar="FILE|FOLDER|REQUIREMENT...")
@python_option("Shrink for this Python, given as a tag; by default that of an installed environment.")
@click.option(
    "--arch",
    type=click.Choice(_ARCHES),
    default=Target().arch,
    show_default=True,
    help="Set the architecture.",
)
@click.option(
    "--output",
    type=RESULT_FOLDER,
    default="shrunk",
    show_default=True,
    metavar="DIR",
    help="Write the index and its companions to this folder.",
)
@click.option(
    "--extra", "extras", multiple=True, metavar="NAME", help="Include this extra of a project (repeatable)."
)
@click.option(
    "--group", "groups", multiple=True, metavar="NAME", help="Include this dependency group (repeatable)."
)
@lever_options
@click.option(
    "--as-it-is",
    "untouched",
    multiple=True,
    metavar="NAME",
    help="Use PyPI's wheel of this package (repeatable).",
)
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="DIR|URL",
    help="Use built wheels of this folder or index; the store is always searched (repeatable).",
)
@profile_option("Use built wheels of this profile. If given, remove from PyPI's wheels what it removes.")
@click.option("--build", is_flag=True, help="Compile the packages that have a recipe, which takes long.")
@click.option("--no-built", is_flag=True, help="Use slimmed PyPI wheels even where built ones are available.")
@click.option("--no-check", is_flag=True, help="Skip the paired check of both sets of wheels.")
@click.option(
    "--tests",
    metavar="COMMAND",
    help="Run this pytest command of the application with both sets too, and compare test by test.",
)
@click.option(
    "--with",
    "with_",
    multiple=True,
    metavar="REQ|FILE",
    help="Install this requirement, or those of this file, for the check too (repeatable).",
)
@click.option(
    "--resolver",
    type=click.Choice(["auto", "uv", "pip"]),
    default="auto",
    show_default=True,
    help="Resolve with this tool; auto uses uv if it is installed.",
)
@json_option("the result")
@click.pass_obj
@guarded
def shrink(options: Globals, as_json: bool, **given: Any) -> None:
    """Write a package index in which everything that an application requires is smaller.

    The input is a requirements.txt, pyproject.toml, pylock.toml, uv.lock, poetry.lock, the folder of an
    installed environment, or requirements.

    \b
    Examples:
      spokeshave shrink requirements.txt
      spokeshave shrink uv.lock --python cp312 --output slim
      spokeshave shrink pyproject.toml --extra server --arch aarch64
      spokeshave shrink .venv
      spokeshave shrink requirements.txt --tests "pytest tests -q" --with tests/requirements.txt
      spokeshave shrink "pandas[parquet]" scikit-learn --docstrings
      spokeshave shrink requirements.txt --locales de,en --remove kubernetes/aio
    """
    if given["build"] and given["no_built"]:
        raise click.UsageError("--build and --no-built exclude each other: give one of both")
    if given["tests"] and given["no_check"]:
        raise click.UsageError("--tests is part of the check that --no-check skips: give one of both")
    context = options.context()
    result = run_shrink(context, _request(context.book, given))
    if as_json:
        return click.echo((given["output"] / "shrink.json").read_text("utf-8"), nl=False)
    _show(options, result)
    return None


def _request(book: RecipeBook, given: dict[str, Any]) -> ShrinkRequest:
    settings, knowledge = read_levers(book, given, "")
    return ShrinkRequest(
        inputs=given["inputs"],
        target=Target(python=_python(given), arch=given["arch"]),
        settings=settings,
        knowledge=replace(knowledge, wish=replace(knowledge.wish, profile=_removing(given["profile"]))),
        output=given["output"],
        extras=given["extras"],
        groups=given["groups"],
        resolver=given["resolver"],
        sources=given["sources"],
        profile=given["profile"],
        built=not given["no_built"],
        build=given["build"],
        check=not given["no_check"],
        tests=pytest_arguments(given["tests"]) if given["tests"] else None,
        with_=given["with_"],
        untouched=frozenset(map(canonicalize_name, given["untouched"])),
    )


def _removing(profile: str) -> str:
    """The profile if it was chosen. The default one has no docstrings, which PyPI's wheels keep."""
    source = click.get_current_context().get_parameter_source("profile")
    return "" if source is ParameterSource.DEFAULT else profile


def _python(given: dict[str, Any]) -> str:
    """The tag of the Python: of the option, else of the environment that is shrunk."""
    asked = click.get_current_context().get_parameter_source("python") is not ParameterSource.DEFAULT
    folders = [Path(word) for word in given["inputs"] if Path(word).is_dir()]
    found = python_of(folders[0]) if folders and not asked else ""
    return found or str(given["python"])


def _show(options: Globals, result: Shrunk) -> None:
    show(options.stdout, shrink_table(result))
    for note in result.notes:
        say(options.stdout, note.line)
    before, after = (sum(getattr(one, side) for one in result.chosen) for side in ("before", "after"))
    ratio = f"{after / before:.2f}" if before else "-"
    say(options.stdout, f"{before / 1e6:.1f} MB of PyPI's wheels, {after / 1e6:.1f} MB of these: {ratio}")
    for path in result.files:
        say(options.stdout, str(path))


def shrink_table(result: Shrunk) -> Listing:
    """A row for each package: version, tier, sizes before and after, and why."""
    columns = [
        *(Column("package"), Column("version", whole=True), Column("tier", whole=True)),
        *(Column(heading, number=True) for heading in ("MB, before", "MB, after")),
        Column("why (MB)"),
    ]
    rows = [
        (
            *(one.pick.project, str(one.pick.version), one.tier),
            *(f"{one.before / 1e6:.2f}", f"{one.after / 1e6:.2f}"),
            one.why,
        )
        for one in result.chosen
    ]
    rows += [(one.project, one.version, "not included", "", "", one.why) for one in result.resolved.left]
    return Listing(columns=columns, rows=rows)
