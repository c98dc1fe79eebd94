"""`trace`: a profile without the parts of the stack that a program does not use."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.options import json_option, profile_option
from spokeshave.cli.paths import RESULT_FILE
from spokeshave.cli.python_option import python_option
from spokeshave.context import Context
from spokeshave.errors import Interrupted, SpokeshaveError, TraceError
from spokeshave.inside.model import Target
from spokeshave.machine.files import copy_whole, write_whole
from spokeshave.recipes.schema import profile_name
from spokeshave.recipes.select import pick_version
from spokeshave.removal.check import check_removals, stack_recipes
from spokeshave.trace import recheck
from spokeshave.trace.profile_writer import profile_text
from spokeshave.trace.record import Run, add_run, read_record, replace_run
from spokeshave.trace.resolve import resolve
from spokeshave.trace.session import Traced, losses, run_once, shown, warnings
from spokeshave.trace.trimmed_run import Wanted


@click.command(cls=Command, context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, metavar="[-- COMMAND...]")
@click.option(
    "--output",
    type=RESULT_FILE,
    metavar="NAME.toml",
    help="Write the profile to this file; it takes the file's name.",
)
@click.option(
    "--record",
    "records",
    type=RESULT_FILE,
    multiple=True,
    metavar="FILE",
    help="Read the runs in this file too; the first file named also records this run (repeatable).",
)
# A project's settings name the profile that this command writes: it cannot extend itself.
@profile_option("Extend this profile.", setting=False)
@python_option("Write the profile for this Python, given as a tag.")
@click.option(
    "--recheck/--no-recheck",
    "wanted_recheck",
    default=True,
    show_default=True,
    help="Run COMMAND again without the components that the profile removes, until it ends as before. Switch "
    "this off for a command that cannot run twice: components whose use a run cannot show are then kept.",
)
@click.option(
    "--despite-losses",
    is_flag=True,
    help="Write the profile even if parts of a run were not recorded.",
)
@json_option("the decision on each component")
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
    wanted_recheck: bool,
    despite_losses: bool,
    as_json: bool,
) -> None:
    """Run COMMAND, record its use of the stack, and write a profile without the rest.

    All Python processes of COMMAND are recorded. A component is removed if no run used it and no kept module
    needs it; the profile gives the reason for each. Where a run cannot show a use (calls of compiled code on
    Python 3.11), the component is kept unless COMMAND passes again on a copy of its packages without it.
    Records of several runs (tests, an API, a worker) are merged. The exit code is COMMAND's; if that is 0 and
    the run shows nothing, it is 44.

    \b
    Examples:
      spokeshave trace --output app.toml -- python -m pytest
      spokeshave trace --record app.json -- python -m bookgen.worker
      spokeshave trace --record app.json --record api.json --output app.toml
    """
    _check_words(command, output, records, as_json=as_json)
    context = options.context()
    wanted = _Wanted(
        base=profile,
        target=Target(python=python),
        output=output,
        recheck=wanted_recheck and (output is not None or as_json),
        despite_losses=despite_losses,
    )
    _check(context, wanted)
    runs = [run for path in records if path.exists() or not command for run in read_record(path)]
    if not command:
        return _show(context, wanted, runs, as_json=as_json)
    traced, files = _recorded_run(context, command, records)
    known = [run for path in records if path.exists() for run in read_record(path)]
    runs = [run for run in known if run != traced.run]  # with those of commands that ran at the same time
    with _failing_command_first(context, traced.run):
        _show(context, wanted, [*runs, _rechecked(context, wanted, runs, traced, files)], as_json=as_json)
    sys.exit(traced.run.exit_code)


@contextlib.contextmanager
def _failing_command_first(context: Context, run: Run) -> Iterator[None]:
    """If the command failed, prints an error that follows instead of raising it: its exit code is kept."""
    try:
        yield
    except Interrupted:
        raise
    except SpokeshaveError as fault:
        if not run.exit_code:
            raise
        context.reporter.say(f"error: {fault.what}\nnext: {fault.next_step}")


def _recorded_run(
    context: Context, command: tuple[str, ...], records: tuple[Path, ...]
) -> tuple[Traced, tuple[Path, ...]]:
    """The run of the command, and the files that it is recorded in."""
    traced = run_once(context, command, os.environ)
    if traced.reader_ended:
        context.reporter.say(
            "warning: the reader of the output (such as `head`) ended before COMMAND, which may have stopped"
            " there; write the output to a file to record the whole run"
        )
    files = (context.logs / "trace.json", *records[:1])
    for file in files:
        add_run(file, traced.run)
        context.reporter.say(f"trace: the run is recorded in {file}")
    return traced, files


def _check_words(
    command: tuple[str, ...], output: Path | None, records: tuple[Path, ...], *, as_json: bool
) -> None:
    """Raises click's errors for options that exclude or need one another."""
    if not (output or records or as_json):
        raise click.UsageError("give --output, --record or --json: without them nothing of the run is kept")
    if not (command or records):
        raise click.UsageError("give a COMMAND after --, or a --record of earlier runs")
    if output:
        _check_name(output)


def _check_name(output: Path) -> None:
    """Raises click.BadParameter, before the run, for a file name that cannot be the profile's."""
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
    recheck: bool
    despite_losses: bool


def _check_losses(wanted: _Wanted, runs: Sequence[Run]) -> None:
    """Raises TraceError where a profile would rest on a run that was not recorded whole."""
    lost = [f"  {shown(run.command)}: {why}" for run in runs for why in losses(run)]
    if wanted.output and lost and not wanted.despite_losses:
        raise TraceError(
            f"{wanted.output} is not written: parts of a run were not recorded:\n" + "\n".join(lost),
            next_step="correct that and trace again; or give --despite-losses, and test the wheels well",
        )


def _rechecked(
    context: Context, wanted: _Wanted, earlier: Sequence[Run], traced: Traced, files: Sequence[Path]
) -> Run:
    """The run with the results of its recheck, if there is one; its records get them too."""
    _check_losses(wanted, [*earlier, traced.run])
    if not (wanted.recheck and traced.run.loads):
        return traced.run
    base = context.book.profile(wanted.base)
    asked = Wanted(base=base, target=wanted.target, earlier=tuple(earlier))
    run = recheck.recheck(context, asked, traced, os.environ)
    for file in files:
        replace_run(file, traced.run, run)
    return run


def _check(context: Context, wanted: _Wanted) -> None:
    """Raises the errors of the base profile, the name and the Python before the command runs."""
    context.book.profile(wanted.base)
    if wanted.output:
        context.book.refuse_namesake(wanted.output.stem)
    for loaded in stack_recipes(context):
        pick_version(loaded.recipe, wanted.target.python_version)


def _show(context: Context, wanted: _Wanted, runs: Sequence[Run], *, as_json: bool) -> None:
    """Prints warnings, and writes the profile if one is asked for, after the checks of every profile."""
    _check_losses(wanted, runs)
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
            f"trace: {wanted.output} removes {recheck.counted(found.removed)} of {wanted.base} "
            f"({weight:.1f} MB as installed where it ran)"
        )
    if as_json:
        rows = [asdict(one) for one in found.verdicts]
        data = {"base": found.base, "runs": len(runs), "warnings": notes, "components": rows}
        click.echo(json.dumps(data, indent=1, sort_keys=True))
