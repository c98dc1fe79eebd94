"""`train`: counters of what a package runs, for builds that are told them."""

from __future__ import annotations

import json

import click

from spokeshave import pipeline
from spokeshave.cli.base import Globals, guarded
from spokeshave.cli.pythons import python_option, refuse_unbuildable
from spokeshave.model import Target
from spokeshave.training.course import Course, Trained
from spokeshave.training.course import train as run_course


@click.command()
@click.argument("package")
@click.option("--profile", default="lean", show_default=True, help="Whose flags the bundle is for.")
@python_option("Python of the wheel, as a tag.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=150.0,
    show_default=True,
    help="Of benchmarks at each dispatch level.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the manifest as JSON to stdout.")
@click.pass_obj
@guarded
def train(
    options: Globals, *, package: str, profile: str, python: str, seconds: float, as_json: bool
) -> None:
    """Train PACKAGE: count what its benchmarks run, for builds that know what is hot.

    Builds it with counters, in the image and with the flags of the profile, runs the work that the recipe
    names under [training] at each dispatch level, and packs the counters beside the recipe. `build` takes a
    bundle that fits exactly, and says so; where none does it builds untrained, and says that.

    \b
    Examples:
      spokeshave train numpy
      spokeshave train numpy --profile full --seconds 300
    """
    context = options.context()
    refuse_unbuildable(context, pipeline.choose_engine(context, "docker"), Target(python=python))
    course = Course(package=package, profile=profile, target=Target(python=python), seconds=seconds)
    done = run_course(context, course)
    if as_json:
        told = {"file": str(done.path), "sha256": done.sha256, **done.manifest.model_dump(mode="json")}
        return click.echo(json.dumps(told, indent=1, sort_keys=True))
    return _print(options, done)


def _print(options: Globals, done: Trained) -> None:
    found = done.manifest
    for work in found.work:
        level = f"without {work.dispatch}" if work.dispatch else "all levels"
        options.stdout.print(f"{level}: {work.cases:,} cases ran, {work.failed:,} did not", markup=False)
    size = done.path.stat().st_size
    told = f"{found.ran:,} of {found.functions:,} functions in {found.files:,} files ran; {size:,} bytes"
    options.stdout.print(told, highlight=False)
    if found.reach:
        told = f"{found.tested:,} functions more that tests alone ran, of {' '.join(found.reach)}"
        options.stdout.print(told, highlight=False, markup=False)
    options.stdout.print(f"to use it, this belongs into the recipe, once:\n\n{done.row}", markup=False)
