"""The global options of all commands, and the mapping of errors to exit codes."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
from rich.console import Console

from spokeshave.cli.paths import RESULT_FOLDER
from spokeshave.context import Context, ImageMode
from spokeshave.errors import Interrupted, SpokeshaveError, StoreError
from spokeshave.inside.run import run
from spokeshave.machine.files import DISK_FULL
from spokeshave.machine.owners import own_folder
from spokeshave.machine.progress import make_reporter
from spokeshave.machine.store import Store
from spokeshave.machine.toolchain import usable_cpus
from spokeshave.own_code import package_root
from spokeshave.recipes.book import RecipeBook


@dataclass(frozen=True, kw_only=True, slots=True)
class Globals:
    """The global options."""

    recipes: Path | None
    cache: Path
    image: ImageMode
    stderr: Console
    stdout: Console

    def context(self) -> Context:
        """The context of the stages; removes the remains of killed runs."""
        reporter = make_reporter(self.stderr)
        store = Store(root=self.cache, say=reporter.say)
        store.sweep()
        return Context(
            book=RecipeBook(recipe_folders(self.recipes)),
            store=store,
            runner=run,
            reporter=reporter,
            logs=_log_folder(self.cache),
            environ=dict(os.environ),
            cpus=usable_cpus(),
            image_mode=self.image,
        )


def output_option(
    text: str = "Write the wheels to this folder.",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--output DIR`, which is ./wheelhouse unless given; `text` is its help."""
    return click.option(
        "--output",
        type=RESULT_FOLDER,
        default="wheelhouse",
        show_default=True,
        metavar="DIR",
        help=text,
    )


def recipe_folders(named: Path | None) -> list[Path]:
    """The folders of recipes, in this order: the named one, `recipes/` here, the built-in ones."""
    root = package_root()
    folders = [named, Path("recipes"), root / "recipes_data", root.parent.parent / "recipes"]
    return [one for one in folders if one and (one == named or (one / "profiles").is_dir())]


def _log_folder(cache: Path) -> Path:
    """A new folder for this run's logs, which also shows whether the cache can be written.

    Its lock is held until the command ends, so that other runs see that this one is alive.
    """
    try:
        return click.get_current_context().with_resource(own_folder(cache / "logs", "run"))
    except OSError as fault:
        raise StoreError(
            f"the cache folder {cache} cannot be written: {fault.strerror}",
            next_step="free some space there, or name another folder with --store",
        ) from fault


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turns expected errors into a message and their exit code, and Ctrl-C into 130."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            fault: SpokeshaveError = Interrupted(
                "interrupted", next_step="run the same command again: finished stages are kept"
            )
        except SpokeshaveError as caught:
            fault = caught
        except OSError as caught:
            if caught.errno not in DISK_FULL:
                raise
            fault = StoreError(
                f"no space left on the disk: {caught.filename or 'unnamed file'}",
                next_step="free some space, or run `spokeshave clean`",
            )
        end_with(fault)

    return wrapper


def end_with(fault: SpokeshaveError) -> NoReturn:
    """Prints an expected error, its log and the next step, and ends with its exit code."""
    console = Console(stderr=True, emoji=False)  # a message keeps its `:x:`
    console.print(f"error: {fault.what}", style="red", markup=False, highlight=False, soft_wrap=True)
    if fault.log:
        console.print(f"log: {fault.log}", markup=False, highlight=False, soft_wrap=True)
    if fault.next_step:
        console.print(f"next: {fault.next_step}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(fault.exit_code)


def interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
