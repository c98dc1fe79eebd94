"""The command line: parse, call the pipeline, map errors to exit codes. No logic."""

from __future__ import annotations

import signal
from pathlib import Path

import click
import platformdirs
from rich.console import Console

from spokeshave import __version__
from spokeshave.cli import (
    building,
    explaining,
    proving,
    publishing,
    racing,
    slimming,
    tracing,
    training,
    upkeep,
)
from spokeshave.cli.base import Globals, interrupt
from spokeshave.images import Mode


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="spokeshave")
@click.option(
    "--recipes",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Folder with recipes and profiles; goes before ./recipes and the built-in ones.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar="SPOKESHAVE_CACHE",
    help="Folder of the store and logs (default: the user's cache folder).",
)
@click.option(
    "--image",
    type=click.Choice(["auto", "local", "registry"]),
    default="auto",
    show_default=True,
    help="Official images from a registry, or local ones from Debian packages.",
)
@click.pass_context
def main(ctx: click.Context, recipes: Path | None, cache: Path | None, image: Mode) -> None:
    """Build minimal, verified wheels of the scientific Python stack.

    \b
    Examples:
      spokeshave doctor                          what is missing, and how to get it
      spokeshave build numpy --profile lean      a slim numpy wheel and the BLAS it shares
      spokeshave verify wheelhouse/*.whl         prove it against the stock wheel
      spokeshave bench numpy                     its speed beside the stock wheel's
      spokeshave train numpy                     counters of what it runs, for faster and smaller builds
      spokeshave slim lxml                       a smaller wheel of a package without a recipe
      spokeshave trace --output app.toml -- CMD  a profile of what a program uses
      spokeshave report                          sizes beside stock, and what each lever saved
      spokeshave publish wheelhouse --to index   a package index in a folder

    \b
    Exit codes: 2 usage, 3 recipe, 4 removal refused, 10 hash, 11 unsafe archive, 12 network, 13 patch,
    20 engine missing, 21 Docker rights, 22 image, 30 build, 32 budget, 40 verification,
    41 wheel, 42 bench, 43 publication, 44 trace, 45 training, 50 store, 130 interrupted.
    """
    signal.signal(signal.SIGTERM, interrupt)
    ctx.obj = Globals(
        recipes=recipes,
        cache=(cache or Path(platformdirs.user_cache_dir("spokeshave"))).resolve(),
        image=image,
        stderr=Console(stderr=True),
        stdout=Console(),
    )


for _command in (
    *(
        upkeep.doctor,
        building.plan,
        explaining.explain,
        explaining.components,
        building.fetch,
        building.build,
        building.measure,
    ),
    *(proving.verify, proving.report, racing.bench, training.train, slimming.slim, tracing.trace),
    *(publishing.publish, publishing.serve),
    *(upkeep.image, upkeep.clean, upkeep.schema),
):
    main.add_command(_command)
