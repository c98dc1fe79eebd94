"""`slim`: wheels without a recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from spokeshave.cli.common import Globals, guarded, output_option
from spokeshave.cli.help import Command
from spokeshave.cli.options import json_option
from spokeshave.cli.python_option import python_option
from spokeshave.cli.slim_options import lever_options, read_levers
from spokeshave.inside.model import Target
from spokeshave.machine.listing import Column, Listing, say, show
from spokeshave.recipes.book import RecipeBook
from spokeshave.slim.arguments import read_extra
from spokeshave.slim.model import Saving
from spokeshave.slim.outcome import Outcome, failures
from spokeshave.slim.slimming import SlimRequest, slim_all


class _Extra(click.ParamType[str]):
    """A requirement on pip's command line: nothing that pip would take for one of its options."""

    name = "requirement"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return read_extra(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


@click.command(cls=Command)
@click.argument("wheels", nargs=-1, required=True, metavar="WHEEL...")
@python_option("Fetch wheels of requirements for this Python, given as a tag.")
@output_option("Write the wheels and their records to this folder.")
@lever_options
@click.option(
    "--profile",
    default="",
    metavar="NAME",
    help="Remove what this profile does, with its levers, where recipes allow it without a compile.",
)
@click.option(
    "--build",
    default=1,
    metavar="N",
    show_default=True,
    type=click.IntRange(min=1),
    help="Set the N of the local version +slim.N.",
)
@click.option(
    "--drop-signature",
    is_flag=True,
    help="Remove the signature of a signed RECORD: it would no longer fit.",
)
@click.option("--no-check", is_flag=True, help="Skip the imports that are compared with the PyPI wheel's.")
@click.option(
    "--tests",
    is_flag=True,
    help="Run upstream's tests, from the sdist, with both wheels too.",
)
@click.option(
    "--select",
    multiple=True,
    metavar="PATH",
    help="Run these test files or folders of a package with a recipe; level core by default (repeatable).",
)
@click.option("--marker", default="", metavar="EXPR", help="Run only matching tests (pytest's -m).")
@click.option(
    "--with",
    "extra",
    multiple=True,
    type=_Extra(),
    metavar="REQ",
    help="Install this requirement for the check too (repeatable).",
)
@json_option("the records")
@click.pass_obj
@guarded
def slim(options: Globals, as_json: bool, **given: Any) -> None:
    """Slim PyPI WHEELs without a compile: files, or requirements that pip can fetch.

    Tests, type stubs, sources, headers, duplicate libraries, white space of JSON, symbol tables and debug
    information are removed, and what the rules of the package name. Recipes say more of numpy, scipy, pandas
    and scikit-learn, whose copies of OpenBLAS one shared library replaces. The slim wheel has the local
    version +slim.N. `slim` imports each module of both wheels, in virtual environments of this Python. It
    does not write a wheel of which fewer imports pass, or that is not smaller.

    \b
    Examples:
      spokeshave slim lxml-6.0.0-cp311-cp311-manylinux_2_28_x86_64.whl
      spokeshave slim lxml sqlalchemy==2.0.43 --output wheelhouse
      spokeshave slim "uvicorn[standard]" --python cp311
      spokeshave slim kubernetes babel --remove kubernetes/aio --locales de,en
      spokeshave slim pyphen --tests
      spokeshave slim numpy scipy --blas wheelhouse --remove scipy/signal
      spokeshave slim sqlalchemy --with greenlet --tests --marker "not memory_intensive"
      spokeshave slim nltk --with numpy --docstrings --keep "docstrings:nltk/app/*" --json
    """
    if given["tests"] and given["no_check"]:
        raise click.UsageError("--tests is part of the check that --no-check skips: give one of both")
    if (given["marker"] or given["select"]) and not given["tests"]:
        raise click.UsageError("--marker and --select choose among the tests: give --tests too")
    context = options.context()
    outcomes = slim_all(context, _request(context.book, given))
    if as_json:
        click.echo(json.dumps([one.to_json() for one in outcomes], indent=1, sort_keys=True))
    else:
        _show(options, outcomes)
    if fault := failures(outcomes):
        raise fault


def _request(book: RecipeBook, given: Mapping[str, Any]) -> SlimRequest:
    settings, knowledge = read_levers(book, given, given["profile"])
    settings = replace(settings, build=given["build"], drop_signature=given["drop_signature"])
    return SlimRequest(
        words=given["wheels"],
        target=Target(python=given["python"]),
        settings=settings,
        output=given["output"],
        check=not given["no_check"],
        tests=given["tests"],
        marker=given["marker"],
        select=given["select"],
        extra=given["extra"],
        knowledge=knowledge,
    )


def _show(options: Globals, outcomes: tuple[Outcome, ...]) -> None:
    show(options.stdout, slim_table(outcomes))
    for one in outcomes:
        for note in (note for row in one.slimmed.savings for note in _notes(row)):
            say(options.stdout, f"{one.slimmed.stock.project}: {note}")


def slim_table(outcomes: Sequence[Outcome]) -> Listing:
    """A row for each wheel: its sizes, the bytes removed by lever, its check."""
    columns = [
        Column("wheel"),
        *(Column(heading, number=True) for heading in ("MB, PyPI", "MB, slim", "ratio")),
        *(Column("removed, MB"), Column("checked")),
    ]
    return Listing(columns=columns, rows=[_row(one) for one in outcomes])


def _row(one: Outcome) -> tuple[str, ...]:
    slimmed = one.slimmed
    before, after = slimmed.before.unpacked, slimmed.after.unpacked
    took = ", ".join(f"{row.lever} {row.saved / 1e6:.2f}" for row in slimmed.savings if row.files)
    name = f"{slimmed.stock.project} {slimmed.stock.slim_version(slimmed.settings.build)}"
    sizes = f"{before / 1e6:.2f}", f"{after / 1e6:.2f}", f"{after / before:.2f}"
    return name, *sizes, took, _checked(one)


def _notes(row: Saving) -> Iterator[str]:
    """Notes below the table: removed folders, and the reasons why files are kept."""
    if row.folders:
        yield f"{row.lever} removed {', '.join(row.folders)}"
    yield from row.lines


def _checked(one: Outcome) -> str:
    if not one.slimmed.smaller:
        return "not smaller: not written"
    imports = one.verdict.imports
    if imports is None or one.verdict.skipped:
        return "not checked"
    if imports.faults:
        return f"{len(imports.faults)} faults"
    failing = len(imports.failing_in_stock)
    modules = f"{len(imports.imported)} modules" + (f", {failing} fail with PyPI's too" if failing else "")
    return modules + (f"; {one.verdict.tests.ours.get('passed', 0):,} tests" if one.verdict.tests else "")
