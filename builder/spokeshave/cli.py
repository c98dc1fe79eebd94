"""The command line: parse, call the pipeline, map errors to exit codes. No logic."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import click
import platformdirs
from rich.console import Console

from spokeshave import __version__, pipeline
from spokeshave.errors import Interrupted, SpokeshaveError, StoreError
from spokeshave.images import Mode
from spokeshave.kit import package_root
from spokeshave.model import BuildPlan, Target
from spokeshave.progress import make_reporter
from spokeshave.recipes import RecipeBook
from spokeshave.run import run
from spokeshave.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Globals:
    """The global options."""

    recipes: Path | None
    cache: Path
    image: Mode
    stderr: Console
    stdout: Console

    def context(self) -> pipeline.Context:
        """What the stages work with; clears away what killed runs have left."""
        reporter = make_reporter(self.stderr)
        store = Store(root=self.cache, say=reporter.say)
        store.sweep()
        return pipeline.Context(
            book=RecipeBook(recipe_folders(self.recipes)),
            store=store,
            runner=run,
            reporter=reporter,
            logs=Path(tempfile.mkdtemp(prefix="run-", dir=_made(self.cache / "logs"))),
            image_mode=self.image,
        )


def recipe_folders(named: Path | None) -> list[Path]:
    """Where recipes are looked for: the named folder, `recipes/` here, those in the distribution."""
    root = package_root()
    places = [named, Path("recipes"), root / "recipes_data", root.parent.parent / "recipes"]
    return [place for place in places if place and (place / "profiles").is_dir()]


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreError(
            f"the cache folder {folder} cannot be made: {fault.strerror}",
            next_step="name another one with --cache",
        ) from fault
    return folder


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turns expected errors into a message and their exit code, and Ctrl-C into 130."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        console = Console(stderr=True)
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            fault: SpokeshaveError = Interrupted(
                "interrupted", next_step="run the same command again: finished stages are kept"
            )
        except SpokeshaveError as caught:
            fault = caught
        except OSError as caught:
            if caught.errno not in (28, 122):  # ENOSPC, EDQUOT
                raise
            fault = StoreError(
                f"no space left on the disk: {caught.filename or 'unnamed file'}",
                next_step="free some space, or run `spokeshave clean`",
            )
        console.print(f"error: {fault.what}", style="red", markup=False, highlight=False, soft_wrap=True)
        if fault.log:
            console.print(f"log: {fault.log}", markup=False, highlight=False, soft_wrap=True)
        if fault.next_step:
            console.print(f"next: {fault.next_step}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(fault.exit_code)

    return wrapper


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


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
      spokeshave report                          sizes beside stock, and what each lever saved

    \b
    Exit codes: 2 usage, 3 recipe, 10 hash, 11 unsafe archive, 12 network, 13 patch, 20 engine missing,
    21 Docker rights, 22 image, 30 build, 32 budget, 40 verification, 41 wheel, 50 store, 130 interrupted.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    ctx.obj = Globals(
        recipes=recipes,
        cache=(cache or Path(platformdirs.user_cache_dir("spokeshave"))).resolve(),
        image=image,
        stderr=Console(stderr=True),
        stdout=Console(),
    )


def build_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what to build."""
    for option in reversed(
        [
            click.argument("packages", nargs=-1, required=True, metavar="PACKAGE..."),
            click.option("--profile", default="lean", show_default=True, help="Which levers are on."),
            click.option("--python", default="cp311", show_default=True, help="Target Python, as a tag."),
            click.option(
                "--engine",
                type=click.Choice(["auto", "docker", "host"]),
                default="auto",
                show_default=True,
                help="Where to compile.",
            ),
            click.option("--without", multiple=True, metavar="LEVER", help="Leave one lever off."),
            click.option("--json", "as_json", is_flag=True, help="Write the result as JSON to stdout."),
        ]
    ):
        command = option(command)
    return command


def _request(
    packages: tuple[str, ...],
    profile: str,
    python: str,
    engine: pipeline.EngineName,
    without: tuple[str, ...],
) -> pipeline.Request:
    if not (python.startswith("cp3") and python[3:].isdigit()):
        raise click.BadParameter(f"{python!r} is not a Python tag such as cp311", param_hint="--python")
    return pipeline.Request(
        packages=packages,
        profile=profile,
        target=Target(python=python),
        engine=engine,
        without=frozenset(without),
    )


def _plans(context: pipeline.Context, request: pipeline.Request) -> tuple[BuildPlan, ...]:
    engine = pipeline.choose_engine(context, request.engine)
    where = pipeline.environment(context, engine, request.target)
    return pipeline.make_plans(context, request, where)


def _emit(data: object) -> None:
    click.echo(json.dumps(data, indent=1, sort_keys=True))


@main.command()
@build_options
@click.pass_obj
@guarded
def plan(options: Globals, as_json: bool, **request: Any) -> None:
    """Show the resolved plan and its digest; nothing is fetched or built.

    \b
    Example: spokeshave plan numpy --profile full --json
    """
    plans = _plans(options.context(), _request(**request))
    if as_json:
        return _emit([{**p.to_json(), "digest": p.digest, "compile_key": p.compile_key} for p in plans])
    for one in plans:
        options.stdout.print(f"[bold]{one.distribution} {one.local_version}[/] for {one.target.identifier}")
        rows = {
            "digest": one.digest,
            "source": f"{one.source['pypi']} {one.source['version']}",
            "patches": ", ".join(one.patches) or "none",
            "engine": f"{one.environment.engine} {one.environment.image}",
            "libraries": ", ".join(f"{k}=={v}" for k, v in one.libraries.items()) or "none",
            "levers": ", ".join(lever.name for lever in one.levers),
            "C flags": " ".join(one.compile.flags["c"]),
            "link flags": " ".join(one.compile.flags["link"]),
            "levels": "; ".join(f"{row.level} {row.match}" for row in one.compile.levels) or "one",
            "budget": f"{one.budget:,} bytes" if one.budget else "none",
        }
        for key, value in rows.items():
            options.stdout.print(f"  {key:<11} {value}", markup=False, highlight=False, soft_wrap=True)
    return None


@main.command()
@build_options
@click.pass_obj
@guarded
def fetch(options: Globals, as_json: bool, **request: Any) -> None:
    """Fetch sources and build requirements into the store, so that `build` needs no network.

    \b
    Example: spokeshave fetch numpy
    """
    context = options.context()
    got = {}
    for one in _plans(context, _request(**request)):
        sdist, requirements = pipeline.fetch(context, one)
        got[one.recipe] = {"sdist": str(sdist), "requirements": [p.name for p in requirements]}
    if as_json:
        return _emit(got)
    for name, row in got.items():
        options.stdout.print(f"{name}: {row['sdist']}", markup=False, soft_wrap=True)
    return None


@main.command()
@build_options
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="wheelhouse",
    show_default=True,
    metavar="DIR",
    help="Where the wheels go.",
)
@click.pass_obj
@guarded
def build(options: Globals, as_json: bool, output: Path, **request: Any) -> None:
    """Build slim wheels of PACKAGEs and the libraries they share.

    \b
    Examples:
      spokeshave build numpy
      spokeshave build openblas numpy --profile full --engine docker --output wheelhouse
    """
    context = options.context()
    plans = _plans(context, _request(**request))
    built = pipeline.build(context, plans)
    wheels = pipeline.deliver(context, plans, built, output)
    if as_json:
        return _emit(
            [
                {"wheel": str(path), "digest": p.digest, "cached": built[p.recipe].cached}
                for path, p in zip(wheels, plans, strict=True)
            ]
        )
    for path in wheels:
        options.stdout.print(str(path), markup=False, highlight=False, soft_wrap=True)
    return None


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
