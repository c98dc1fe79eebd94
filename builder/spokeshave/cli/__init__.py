"""The command line: parse, call the pipeline, map errors to exit codes. No logic."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import click
import platformdirs
from rich.console import Console

from spokeshave import __version__
from spokeshave.cli import (
    benchmarking,
    building,
    configuring,
    explaining,
    publishing,
    serving,
    shrinking,
    slim_wheels,
    tracing,
    training,
    upkeep,
    verifying,
)
from spokeshave.cli.common import Globals, end_with, interrupt
from spokeshave.cli.help import CONTEXT_SETTINGS, Group
from spokeshave.cli.pipes import survive_closed_pipes
from spokeshave.cli.settings import VARIABLES, Settings, default_map, find_settings
from spokeshave.context import ImageMode
from spokeshave.errors import SettingsError

_SECTIONS = (
    ("Shrink an application", ("shrink",)),
    ("Set up", ("doctor", "config")),
    ("Build", ("plan", "fetch", "build", "ablate", "train")),
    ("Check and compare", ("verify", "report", "bench")),
    ("Fit to an application", ("trace", "components", "explain", "slim")),
    ("Publish", ("publish", "serve")),
    ("Maintain", ("image", "clean", "schema")),
)


class _Root(Group):
    """The group of all commands; they use the settings of the project around them."""

    def main(self, args: Any = None, *rest: Any, **kwargs: Any) -> Any:
        if args is None:  # the program spokeshave, not a call inside another one
            survive_closed_pipes()
        return super().main(args, *rest, **kwargs)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        settings = _settings(args, lenient=bool(extra.get("resilient_parsing")))
        extra.setdefault("default_map", default_map(settings, self))
        context = super().make_context(info_name, args, parent, **extra)
        settings.keep(context)
        return context


def _settings(args: list[str], *, lenient: bool) -> Settings:
    """The settings around the working folder; a damaged file stops neither help nor completion."""
    own = args[: args.index("--")] if "--" in args else args
    try:
        return find_settings(Path.cwd())
    except FileNotFoundError:  # the working folder was removed
        return Settings()
    except SettingsError as fault:
        if lenient or {"-h", "--help"} & {*own}:
            return Settings()
        end_with(fault)


@click.group(cls=_Root, sections=_SECTIONS, context_settings=CONTEXT_SETTINGS)
@click.version_option(__version__, prog_name="spokeshave")
@click.option(
    "--recipes",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    envvar=VARIABLES["recipes"],
    show_envvar=True,
    help="Search this folder for recipes and profiles first, then ./recipes, then the built-in ones.",
)
@click.option(
    "--store",
    "--cache",
    "cache",
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar=VARIABLES["store"],
    show_envvar=True,
    help="Keep sources, finished wheels and logs in this folder.  [default: the user's cache folder]",
)
@click.option(
    "--image",
    "image_mode",  # not `image`: in click's default_map, a command of that name has its settings there
    type=click.Choice(["auto", "local", "registry"]),
    default="auto",
    show_default=True,
    help="Use official images from a registry, or local ones made of Debian packages.",
)
@click.pass_context
def main(ctx: click.Context, recipes: Path | None, cache: Path | None, image_mode: ImageMode) -> None:
    """Build minimal, verified wheels of the scientific Python stack.

    \b
    Examples:
      spokeshave doctor
      spokeshave build numpy --profile lean
      spokeshave verify wheelhouse/*.whl
      spokeshave trace --output app.toml -- pytest
      spokeshave publish wheelhouse --to index

    Exit codes: 2 usage, 3 recipe, 4 removal refused, 5 settings, 10 hash, 11 unsafe archive, 12 network,
    13 patch, 20 engine missing, 21 Docker rights, 22 image, 30 build, 32 budget, 33 limit, 40 verification,
    41 wheel, 42 bench, 43 publication, 44 trace, 45 PGO profile, 50 store, 130 interrupted.
    """
    signal.signal(signal.SIGTERM, interrupt)
    settings = Settings.of(ctx)
    if settings.ignored:
        click.echo(f"note: {settings.file} is read; [tool.spokeshave] in {settings.ignored} is not", err=True)
    ctx.obj = Globals(
        recipes=recipes,
        cache=(cache or Path(platformdirs.user_cache_dir("spokeshave"))).resolve(),
        image=image_mode,
        stderr=Console(stderr=True),
        stdout=Console(),
    )


for _command in (
    *(upkeep.doctor, configuring.config),
    *(building.plan, building.fetch, building.build, building.ablate, building.measure, training.train),
    *(verifying.verify, verifying.report, benchmarking.bench),
    *(tracing.trace, explaining.components, explaining.explain, slim_wheels.slim, shrinking.shrink),
    *(publishing.publish, serving.serve),
    *(upkeep.image, upkeep.clean, upkeep.schema),
):
    main.add_command(_command)
