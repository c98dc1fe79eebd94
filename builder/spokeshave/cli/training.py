"""`train`: the PGO profile of a package, for faster and smaller builds."""

from __future__ import annotations

import json

import click

from spokeshave.bench.train.course import Course, Trained
from spokeshave.bench.train.course import train as run_course
from spokeshave.build import pipeline
from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.options import complete_package, json_option, profile_option
from spokeshave.cli.python_option import python_option, refuse_unbuildable
from spokeshave.inside.model import Target
from spokeshave.machine.listing import say


@click.command(cls=Command)
@click.argument("package", shell_complete=complete_package)
@profile_option("Compile with the flags of this profile: the PGO profile fits them alone.")
@python_option()
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    default=150.0,
    show_default=True,
    help="Run benchmarks for this many seconds at each dispatch level of the CPU.",
)
@json_option("the manifest of the PGO profile")
@click.pass_obj
@guarded
def train(
    options: Globals, *, package: str, profile: str, python: str, seconds: float, as_json: bool
) -> None:
    """Collect profile data of PACKAGE for profile-guided optimization (PGO).

    The package is built with instrumentation, in the image and with the flags of the profile. The benchmarks
    and tests that its recipe names under `[training]` then run at each dispatch level, and the profile data
    (.gcda) is packed into a PGO profile next to the recipe. Add the printed row to the recipe to use it.
    `build` takes a PGO profile that fits exactly, and prints so. Where none fits, it compiles without profile
    data.

    \b
    Examples:
      spokeshave train numpy
      spokeshave train scipy --python cp311 --json
      spokeshave train numpy --profile full --seconds 300
    """
    context = options.context()
    refuse_unbuildable(context, pipeline.choose_engine(context, "docker"), Target(python=python))
    course = Course(package=package, profile=profile, target=Target(python=python), seconds=seconds)
    done = run_course(context, course)
    if as_json:
        found = {"file": str(done.path), "sha256": done.sha256, **done.manifest.model_dump(mode="json")}
        return click.echo(json.dumps(found, indent=1, sort_keys=True))
    return _print(options, done)


def _print(options: Globals, done: Trained) -> None:
    found = done.manifest
    for work in found.work:
        level = f"without {work.dispatch}" if work.dispatch else "all levels"
        say(options.stdout, f"{level}: {work.cases:,} cases ran, {work.failed:,} did not")
    size = done.path.stat().st_size
    ran = f"{found.ran:,} of {found.functions:,} functions in {found.files:,} files ran"
    say(options.stdout, f"{ran}; {size:,} bytes of profile data")
    if found.reach:
        say(
            options.stdout,
            f"{found.tested:,} more functions ran in tests alone, of {' '.join(found.reach)}",
        )
    say(options.stdout, "add this row to the recipe to use the PGO profile:")
    options.stdout.print(f"\n{done.row}", markup=False, highlight=False, soft_wrap=True)
