"""`slim`: wheels without a recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
from rich.table import Table

from spokeshave.cli.base import Globals, guarded, output_option
from spokeshave.cli.pythons import python_option
from spokeshave.model import Target
from spokeshave.slim.model import DEFAULT_LEVERS, ON_REQUEST, Saving, Settings
from spokeshave.slim.pipeline import Outcome, SlimRequest, failures, slim_all
from spokeshave.slim.words import read_extra


class _Extra(click.ParamType[str]):
    """A requirement that goes to pip's command line: nothing that pip would take for an option of its own."""

    name = "requirement"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return read_extra(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


@click.command()
@click.argument("wheels", nargs=-1, required=True, metavar="WHEEL...")
@python_option("Target Python of requirements, as a tag.")
@output_option("Where the wheels and their records go.")
@click.option("--docstrings", is_flag=True, help="Docstrings go too: help() and __doc__ are empty.")
@click.option("--comments", is_flag=True, help="Comments go too; line numbers stay.")
@click.option("--indentation", is_flag=True, help="Indent by one space a level; line numbers stay.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(DEFAULT_LEVERS),
    help="Leave one lever off: " + ", ".join(DEFAULT_LEVERS) + ".",
    metavar="LEVER",
)
@click.option("--keep", multiple=True, metavar="GLOB", help="Files that no lever touches.")
@click.option("--build", default=1, show_default=True, type=click.IntRange(min=1), help="N of +slim.N.")
@click.option("--drop-signature", is_flag=True, help="Let the signature of a signed RECORD go.")
@click.option("--no-check", is_flag=True, help="Do not import it beside the stock wheel.")
@click.option("--tests", is_flag=True, help="Run upstream's tests out of the sdist too, stock and slim.")
@click.option("--marker", default="", metavar="EXPR", help="Of those, the ones that this fits (pytest's -m).")
@click.option(
    "--with",
    "extra",
    multiple=True,
    type=_Extra(),
    metavar="REQ",
    help="Install this requirement too, for the check (repeatable).",
)
@click.option("--json", "as_json", is_flag=True, help="Write the records as JSON to stdout.")
@click.pass_obj
@guarded
def slim(
    options: Globals,
    *,
    wheels: tuple[str, ...],
    python: str,
    output: Path,
    docstrings: bool,
    comments: bool,
    indentation: bool,
    without: tuple[str, ...],
    keep: tuple[str, ...],
    build: int,
    drop_signature: bool,
    no_check: bool,
    tests: bool,
    marker: str,
    extra: tuple[str, ...],
    as_json: bool,
) -> None:
    """Slim stock WHEELs that have no recipe: files, or requirements that pip can fetch.

    Tests, type stubs, sources and headers, symbol tables and debug information go. The slim wheel has the
    local version +slim.N, and is imported module by module beside the stock wheel, in venvs of this Python;
    one that does less is not written.

    \b
    Examples:
      spokeshave slim lxml-6.0.0-cp311-cp311-manylinux_2_28_x86_64.whl
      spokeshave slim lxml sqlalchemy==2.0.43 --output wheelhouse
      spokeshave slim "uvicorn[standard]" --python cp311
      spokeshave slim pyphen --tests
      spokeshave slim sqlalchemy --with greenlet --tests --marker "not memory_intensive"
      spokeshave slim nltk --with numpy --docstrings --comments --json
    """
    if tests and no_check:
        raise click.UsageError("--tests is a part of the check that --no-check leaves out")
    if marker and not tests:
        raise click.UsageError("--marker chooses among --tests")
    asked = dict(zip(ON_REQUEST, (docstrings, comments, indentation), strict=True))
    levers = (*(n for n in DEFAULT_LEVERS if n not in without), *(n for n, on in asked.items() if on))
    request = SlimRequest(
        words=wheels,
        target=Target(python=python),
        settings=Settings(levers=levers, keep=keep, build=build, drop_signature=drop_signature),
        output=output,
        check=not no_check,
        tests=tests,
        marker=marker,
        extra=extra,
    )
    outcomes = slim_all(options.context(), request)
    if as_json:
        click.echo(json.dumps([one.to_json() for one in outcomes], indent=1, sort_keys=True))
    else:
        _show(options, outcomes)
    if fault := failures(outcomes):
        raise fault


def _show(options: Globals, outcomes: tuple[Outcome, ...]) -> None:
    table = Table("wheel", "MB stock", "MB slim", "ratio", "what went", "checked")
    for one in outcomes:
        slimmed = one.slimmed
        before, after = slimmed.before.unpacked, slimmed.after.unpacked
        took = ", ".join(f"{row.lever} {row.saved / 1e6:.2f}" for row in slimmed.savings if row.files)
        ratio = f"{after / before:.2f}"
        name = f"{slimmed.stock.project} {slimmed.stock.slim_version(slimmed.settings.build)}"
        table.add_row(name, f"{before / 1e6:.2f}", f"{after / 1e6:.2f}", ratio, took, _checked(one))
    options.stdout.print(table)
    for one in outcomes:
        for note in (note for row in one.slimmed.savings for note in _notes(row)):
            options.stdout.print(
                f"{one.slimmed.stock.project}: {note}",
                markup=False,
                highlight=False,
                soft_wrap=True,
                emoji=False,
            )


def _notes(row: Saving) -> Iterator[str]:
    """What the table has no room for: the folders that went, and what stays and why."""
    if row.folders:
        yield f"{row.lever} removed {', '.join(row.folders)}"
    yield from row.notes


def _checked(one: Outcome) -> str:
    imports = one.verdict.imports
    if imports is None or one.verdict.skipped:
        return "not checked"
    if imports.faults:
        return f"{len(imports.faults)} faults"
    failing = len(imports.failing_in_stock)
    told = f"{len(imports.imported)} modules" + (f", {failing} fail in stock too" if failing else "")
    return told + (f"; {one.verdict.tests.ours.get('passed', 0):,} tests" if one.verdict.tests else "")
