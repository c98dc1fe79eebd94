"""The functions of spokeshave for other programs, such as `ci/image/imagebench`.

These names are kept from one release to the next; all other modules may change. An expected fault is a
`SpokeshaveError` with its exit code; `guarded` prints it and ends a command with that code.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Collection, Iterable, Iterator
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
from spokeshave.slim.model import DEFAULT_LEVERS, ON_REQUEST, Settings
from spokeshave.slim.outcome import failures
from spokeshave.slim.slimming import SlimRequest, slim_all
from spokeshave.sources.download import download_locked

__all__ = [
    "RESULT_FILE",
    "RESULT_FOLDER",
    "Command",
    "Context",
    "EngineMissing",
    "ImageError",
    "Runner",
    "SpokeshaveError",
    "SvgChild",
    "VerifyError",
    "WheelError",
    "debian_root",
    "download_wheels",
    "file_sha256",
    "guarded",
    "open_context",
    "slim_levers",
    "slim_wheels",
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


def slim_levers(*, careful: bool = False, without: Collection[str] = ()) -> tuple[str, ...]:
    """The levers of `spokeshave slim`: the default ones, and unless `careful` those on request, too."""
    levers = DEFAULT_LEVERS if careful else (*DEFAULT_LEVERS, *ON_REQUEST)
    return tuple(name for name in levers if name not in without)


def slim_wheels(
    context: Context, wheels: Iterable[Path], folder: Path, *, levers: tuple[str, ...], check: bool = True
) -> None:
    """Writes slim wheels and their records into `folder`, as `spokeshave slim --output` does.

    `check` compares the imports of each with those of its original. Raises VerifyError if one does less.
    """
    request = SlimRequest(
        words=tuple(map(str, wheels)),
        target=_TARGET,
        settings=Settings(levers=levers),
        output=folder,
        check=check,
    )
    if fault := failures(slim_all(context, request)):
        raise fault


def write_index(context: Context, wheels: Iterable[Path], folder: Path, *, unverified: bool = False) -> None:
    """Writes an index of the wheels with its lock, as `spokeshave publish --to folder --lock folder` does.

    Raises WheelError for an unsound wheel, and VerifyError for one without verification unless `unverified`.
    """
    releases = gather(wheels, unverified=unverified)
    index = IndexFolder(root=folder, say=context.reporter.say)
    paths = {file.filename: file.place for file in index.add(releases, _NO_DATE)}
    lock.write(folder, releases, lambda release: {"path": paths[release.filename]})
