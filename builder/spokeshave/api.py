"""The functions of spokeshave for other programs, such as `ci/image/imagebench`.

These names are kept from one release to the next; all other modules may change. An expected fault is a
`SpokeshaveError` with its exit code; `guarded` prints it and ends a command with that code.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import platformdirs
from rich.console import Console

from spokeshave.build.images.local import debian_root
from spokeshave.cli.common import Globals, guarded, interrupt
from spokeshave.cli.paths import RESULT_FILE, RESULT_FOLDER
from spokeshave.context import Context
from spokeshave.errors import EngineMissing, ImageError, SpokeshaveError, VerifyError, WheelError
from spokeshave.inside.model import Target, file_sha256
from spokeshave.inside.run import Command, Runner
from spokeshave.machine.files import write_whole
from spokeshave.publish import lock
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.release import gather
from spokeshave.report.html.markup import Child as SvgChild
from spokeshave.report.html.markup import el as svg_element
from spokeshave.report.html.markup import standalone as svg_file
from spokeshave.shrink.model import Chosen as ShrunkWheel
from spokeshave.shrink.model import ShrinkRequest
from spokeshave.shrink.stages import shrink
from spokeshave.slim.knowledge import Knowledge
from spokeshave.slim.model import DEFAULT_LEVERS, ON_REQUEST, Settings
from spokeshave.slim.recipe_use import Wish
from spokeshave.sources.download import download_locked

__all__ = [
    "RESULT_FILE",
    "RESULT_FOLDER",
    "Command",
    "Context",
    "EngineMissing",
    "ImageError",
    "Runner",
    "ShrunkWheel",
    "SpokeshaveError",
    "SvgChild",
    "VerifyError",
    "WheelError",
    "debian_root",
    "download_wheels",
    "file_sha256",
    "guarded",
    "open_context",
    "shrink_requirements",
    "svg_element",
    "svg_file",
    "write_index",
    "write_whole",
]
_TARGET = Target()
_NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)  # the same wheels make the same index, byte for byte


@contextlib.contextmanager
def open_context(cache: Path | None = None) -> Iterator[Context]:
    """The store, containers, log folder and progress lines of a run, for the other functions.

    `cache` is the folder of the store, by default the one of the command line. SIGTERM then acts as Ctrl-C.
    Raises StoreError if the folder cannot be written.
    """
    signal.signal(signal.SIGTERM, interrupt)
    folder = cache or Path(platformdirs.user_cache_dir("spokeshave"))
    options = Globals(
        recipes=None,
        cache=folder.resolve(),
        image="auto",
        stderr=Console(stderr=True),
        stdout=Console(),
    )
    with click.Context(click.Command("spokeshave")):  # closes the log folder of the run
        yield options.context()


def download_wheels(context: Context, requirements: Path, folder: Path) -> tuple[Path, ...]:
    """Downloads the wheels of a hash-locked requirements file for the default target; returns them sorted.

    Raises HashMismatch or NetworkError, and then keeps no wheel.
    """
    return download_locked(
        requirements,
        folder,
        python_tag=_TARGET.python,
        platforms=_TARGET.pip_platforms,
        runner=context.runner,
        log=context.logs / "download.log",
    )


def shrink_requirements(
    context: Context,
    requirements: Path,
    folder: Path,
    *,
    profile: str = "",
    built: Path | None = None,
    blas: Path | None = None,
    careful: bool = False,
    check: bool = True,
) -> tuple[ShrunkWheel, ...]:
    """Writes an index of the smallest wheels into `folder`, as `spokeshave shrink --output` does.

    A profile also removes components from PyPI's wheels; without one, built wheels are those of `lean`.
    `built` is a folder with our wheels. Without it, no wheel of ours is used but the shared
    BLAS, from `blas` (a wheel or a folder) or the store. `careful` keeps docstrings, comments, indentation.
    Raises what the stages of shrink raise.
    """
    levers = DEFAULT_LEVERS if careful else (*DEFAULT_LEVERS, *ON_REQUEST)
    request = ShrinkRequest(
        inputs=(str(requirements),),
        target=_TARGET,
        settings=Settings(levers=levers),
        output=folder,
        profile=profile or "lean",
        sources=(str(built),) if built else (),
        built=built is not None,
        knowledge=Knowledge(wish=Wish(profile=profile), blas=blas),
        check=check,
    )
    return shrink(context, request).chosen


def write_index(context: Context, wheels: Iterable[Path], folder: Path, *, unverified: bool = False) -> None:
    """Writes an index of the wheels with its lock, as `spokeshave publish --to folder --lock folder` does.

    Raises WheelError for an unsound wheel, and VerifyError for one without verification unless `unverified`.
    """
    releases = gather(wheels, unverified=unverified)
    index = IndexFolder(root=folder, say=context.reporter.say)
    paths = {file.filename: file.place for file in index.add(releases, _NO_DATE)}
    lock.write(folder, releases, lambda release: {"path": paths[release.filename]})
