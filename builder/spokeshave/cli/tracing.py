"""`trace`: what a program uses of the stack, as a profile."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from spokeshave.cli.base import Globals, guarded
from spokeshave.cli.places import RESULT_FILE
from spokeshave.cli.pythons import python_option
from spokeshave.context import Context
from spokeshave.errors import SpokeshaveError
from spokeshave.files import copy_whole, write_whole
from spokeshave.model import Target
from spokeshave.recipes import pick_version
from spokeshave.removal import check_removals, stack_recipes
from spokeshave.tables import profile_name
from spokeshave.tracing.record import Run, add_run, read_record
from spokeshave.tracing.resolve import resolve
from spokeshave.tracing.session import run_once, warnings
from spokeshave.tracing.text import profile_text


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, metavar="[-- COMMAND...]")
@click.option(
    "--output",
    type=RESULT_FILE,
    metavar="NAME.toml",
    help="The profile to write; its name is the file's.",
)
@click.option(
    "--record",
    "records",
    type=RESULT_FILE,
    multiple=True,
    metavar="FILE",
    help="A record of runs; the first one named takes this run too. Can be given several times.",
)
@click.option("--profile", default="lean", show_default=True, help="The profile that the new one extends.")
@python_option()
@click.option("--json", "as_json", is_flag=True, help="Write what goes and stays as JSON to stdout.")
@click.pass_obj
@guarded
def trace(
    options: Globals,
    *,
    command: tuple[str, ...],
    output: Path | None,
    records: tuple[Path, ...],
    profile: str,
    python: str,
    as_json: bool,
) -> None:
    """Run COMMAND, record what all its processes use of the stack, and write a profile without the rest.

    A component goes where no run used it and no kept module needs it; the profile says of each why. Records
    of several runs (tests, an API, a worker) are merged. The exit code is the command's own; where it ended
    with 0 and its run tells nothing, trace's.

    \b
    Examples:
      spokeshave trace --output app.toml -- python -m pytest
      spokeshave trace --record app.json -- python -m bookgen.worker
      spokeshave trace --record app.json --record api.json --output app.toml
    """
    if not (output or records or as_json):
        raise click.UsageError("give --output, --record or --json, else nothing is left of the run")
    if not (command or records):
        raise click.UsageError("give a COMMAND behind --, or a --record of earlier ones")
    if output:
        _check_name(output)
    context, wanted = options.context(), _Wanted(base=profile, target=Target(python=python), output=output)
    _check(context, wanted)
    runs = [run for path in records if path.exists() or not command for run in read_record(path)]
    code = 0
    if command:
        runs.append(run_once(context, command, os.environ))
        code = runs[-1].exit_code
        for kept in (context.logs / "trace.json", *records[:1]):
            add_run(kept, runs[-1])
            context.reporter.say(f"trace: the run is recorded in {kept}")
        if records:  # other commands may have added theirs while this one ran
            runs = [run for path in records if path.exists() for run in read_record(path)]
    try:
        _tell(context, wanted, runs, as_json=as_json)
    except SpokeshaveError as fault:
        if not code:
            raise
        context.reporter.say(f"error: {fault.what}\nnext: {fault.next_step}")
    sys.exit(code)


def _check_name(output: Path) -> None:
    """The file's name is the profile's, and its wheels' label: one that cannot be is told before the run."""
    try:
        profile_name(output.stem)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="--output") from fault
    if output.suffix != ".toml":
        raise click.BadParameter(f"{output.name!r} does not end in .toml", param_hint="--output")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """The profile asked for; `base` is the one that it extends."""

    base: str
    target: Target
    output: Path | None


def _check(context: Context, wanted: _Wanted) -> None:
    """Tells before the command runs what would be told after it: of the base, the name and the Python."""
    context.book.profile(wanted.base)
    if wanted.output:
        context.book.refuse_namesake(wanted.output.stem)
    for loaded in stack_recipes(context):
        pick_version(loaded.recipe, wanted.target.python_version)


def _tell(context: Context, wanted: _Wanted, runs: Sequence[Run], *, as_json: bool) -> None:
    """Warnings, and the profile where one was asked for: it is checked like any other before it is there."""
    notes = warnings(context, runs, wanted.target)
    for note in notes:
        context.reporter.say(f"warning: {note}")
    if not (wanted.output or as_json):
        return
    found = resolve(context, context.book.profile(wanted.base), wanted.target, runs)
    if wanted.output:
        draft = context.logs / wanted.output.name
        write_whole(draft, profile_text(wanted.output.stem, found, runs, notes))
        check_removals(context, context.book.profile(str(draft)), wanted.target)
        copy_whole(draft, wanted.output)
        weight = sum(one.weight for one in found.removed) / 1e6
        context.reporter.say(
            f"trace: {wanted.output} takes out {len(found.removed)} components of {wanted.base} "
            f"({weight:.1f} MB as installed where it ran)"
        )
    if as_json:
        rows = [asdict(one) for one in found.verdicts]
        data = {"base": found.base, "runs": len(runs), "warnings": notes, "components": rows}
        click.echo(json.dumps(data, indent=1, sort_keys=True))
