"""`publish`: wheels into a package index."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from click.core import ParameterSource
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.options import json_option
from spokeshave.cli.paths import RESULT_FOLDER
from spokeshave.cli.settings import VARIABLES
from spokeshave.machine.progress import make_reporter
from spokeshave.publish import lock as locks
from spokeshave.publish.closure import COMPLETE, Closure, adding, missing, pythons, resolve, told
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.index import ROOT, File
from spokeshave.publish.release import Release, gather
from spokeshave.publish.upload import Server

Pin = tuple[NormalizedName, Version]


def _pin(text: str) -> Pin:
    """NAME==VERSION, with one exact version."""
    try:
        one = Requirement(text)
        (specifier,) = one.specifier
        if specifier.operator == "==":
            return canonicalize_name(one.name), Version(specifier.version)
    except (InvalidRequirement, InvalidVersion, ValueError):
        pass
    raise click.BadParameter(f"{text!r} is not NAME==VERSION, such as numpy==2.4.6+lean.1")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """The options of `publish`, as given."""

    wheels: tuple[Path, ...]
    to: Path | None
    upload: str | None
    repository: str | None
    simple: str | None
    unverified: bool
    yank: tuple[Pin, ...]
    unyank: tuple[Pin, ...]
    reason: str | None
    lock: Path | None
    partial: bool
    url: str | None

    @property
    def server(self) -> tuple[str, str] | None:
        """twine's option and value for the server; None if no server is named."""
        if self.upload is not None:
            return "--repository-url", self.upload
        return None if self.repository is None else ("--repository", self.repository)

    def check(self) -> None:
        """Raises click.UsageError for options that exclude or need one another."""
        targets = [self.to is not None, self.upload is not None, self.repository is not None]
        if sum(targets) > 1 or not (any(targets) or self.lock):
            raise click.UsageError(
                "give one of --to DIR, --upload URL and --repository NAME, or --lock DIR alone"
            )
        if self.server and self.simple is None:
            raise click.UsageError(
                "--upload and --repository need --simple URL, to see which files the server already has"
            )
        if self.to is None and (self.yank or self.unyank or self.url):
            raise click.UsageError("--yank, --unyank and --url need --to DIR")
        if self.yank and not self.reason:
            raise click.UsageError("--yank needs a --reason: installers show it")
        if not (self.wheels or self.yank or self.unyank):
            raise click.UsageError("name WHEELs or their folder")
        if self.lock and not self.wheels:
            raise click.UsageError("--lock pins the WHEELs of this run: name some")
        if self.partial and not self.lock:
            raise click.UsageError("--partial needs --lock DIR")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Locked:
    """Wheels, their requirements outside of this run, and the folder for their locks, if any."""

    folder: Path | None
    releases: tuple[Release, ...]
    closure: Closure = COMPLETE

    def write(self, place: Callable[[Release], locks.Place]) -> list[str]:
        """Writes the locks; returns their paths."""
        if not self.folder:
            return []
        return [str(path) for path in locks.write(self.folder, self.releases, place, self.closure)]


def _closure(
    options: Globals, wanted: _Wanted, releases: tuple[Release, ...], say: Callable[[str], None]
) -> Closure:
    """The requirements that the lock pins with the wheels; raises PublishError if some are missing."""
    locks.by_project(releases)
    needed = missing(releases)
    if not needed:
        return COMPLETE
    if wanted.partial:
        say(f"the lock is partial: install it with --no-deps. Not in it: {told(needed)}")
        return Closure(lacking=needed)
    context = options.context()
    outside = resolve(releases, needed, context.runner, context.logs / "publish-closure.log")
    pins = [f"{one.project}=={one.version}" for one in outside]
    say(f"the lock also names, from pip's index: {', '.join(pins)}")
    say(f"for an install without that index: `{adding(pins, pythons(releases)[0])}`, and name slim/*.whl too")
    if here := [one.filename for one in outside if one.file]:
        say(f"warning: pylock.toml names files of this machine, from pip's index: {', '.join(here)}")
    return Closure(outside=outside)


@click.command(cls=Command)
@click.argument("wheels", nargs=-1, type=click.Path(path_type=Path), metavar="[WHEEL|FOLDER...]")
@click.option(
    "--to",
    type=RESULT_FOLDER,
    metavar="DIR",
    envvar=VARIABLES["index"],
    help="Write a static index into this folder, which the settings of a project can name.",
)
@click.option("--upload", metavar="URL", help="Upload to this server with twine.")
@click.option("--repository", metavar="NAME", help="Upload to the server that .pypirc has under this name.")
@click.option("--simple", metavar="URL", help="Name that server's simple index, as pip takes it.")
@click.option(
    "--unverified", is_flag=True, help="Publish wheels without a passing verification too; the index says so."
)
@click.option(
    "--yank",
    multiple=True,
    type=_pin,
    metavar="NAME==VERSION",
    help="Yank a version: installers skip it unless it is pinned (repeatable).",
)
@click.option("--reason", metavar="TEXT", help="Give the reason of --yank, which installers show.")
@click.option("--unyank", multiple=True, type=_pin, metavar="NAME==VERSION", help="Undo a yank (repeatable).")
@click.option(
    "--lock",
    type=RESULT_FOLDER,
    metavar="DIR",
    help="Write constraints.txt, pins.txt and pylock.toml to this folder. They pin the WHEELs and their"
    " requirements from pip's index. Without --to they name the WHEELs where they are.",
)
@click.option("--partial", is_flag=True, help="Lock the WHEELs alone, for an install with --no-deps.")
@click.option("--url", metavar="URL", help="Write this address of DIR/simple/, not paths, to pylock.toml.")
@json_option()
@click.pass_obj
@guarded
def publish(options: Globals, as_json: bool, **given: Any) -> None:
    """Publish verified WHEELs to a static index folder or a package server.

    A wheel counts as verified if a passing .verify.json is next to it. A published file never changes: the
    same one is skipped, another one under its name is refused. The index is DIR/simple/, for any web server.
    A lock also pins the requirements of the WHEELs, as pip resolves them; an incomplete lock is refused.

    \b
    Examples:
      spokeshave publish wheelhouse/*+lean*.whl --to index --lock index
      spokeshave publish wheelhouse/*+lean*.whl --lock wheelhouse --partial
      spokeshave publish wheelhouse --to index --unverified --json
      spokeshave publish --to index --yank numpy==2.4.6+lean.1 --reason "wrong BLAS"
      spokeshave publish wheelhouse --upload http://localhost:8080/ --simple http://localhost:8080/simple/
    """
    wanted = _Wanted(**_without_set_index(given))
    wanted.check()
    say = make_reporter(options.stderr).say
    releases = gather(wanted.wheels, unverified=wanted.unverified)
    locked = _Locked(folder=wanted.lock, releases=releases)
    if wanted.lock:  # wheels that cannot be locked are refused before anything is published
        locked = replace(locked, closure=_closure(options, wanted, releases, say))
    if wanted.to:
        result = _to_folder(wanted, locked, say)
    elif wanted.server:
        result = _to_server(options, wanted, wanted.server, locked, say)
    else:
        result = _locked_alone(locked)
    if as_json:
        return click.echo(json.dumps(result, indent=1, sort_keys=True))
    for row in result["published"]:
        state = f"verified: {row['verified']}" if row["verified"] else "not verified"
        options.stdout.print(f"{row['filename']} ({state})", markup=False, highlight=False, soft_wrap=True)
    for line in [*result["yanked"], *result["unyanked"], *result["locks"]]:
        options.stdout.print(line, markup=False, highlight=False, soft_wrap=True)
    return None


def _without_set_index(given: dict[str, Any]) -> dict[str, Any]:
    """The options, without the settings' index where a server is named on the command line."""
    source = click.get_current_context().get_parameter_source("to")
    named = given["upload"] or given["repository"]
    return {**given, "to": None} if named and source is not ParameterSource.COMMANDLINE else given


def _to_folder(wanted: _Wanted, locked: _Locked, say: Callable[[str], None]) -> dict[str, Any]:
    assert wanted.to is not None
    folder = IndexFolder(root=wanted.to, say=say)
    files = folder.add(locked.releases, datetime.now(UTC)) if locked.releases else ()
    yanked = [file for pin in wanted.yank for file in folder.set_yanked(*pin, wanted.reason)]
    unyanked = [file for pin in wanted.unyank for file in folder.set_yanked(*pin, None)]
    by_name = {file.filename: file for file in files}

    def place(release: Release) -> locks.Place:
        file = by_name[release.filename]
        if wanted.url:
            return {"url": f"{wanted.url.rstrip('/')}/{file.project}/{quote(file.filename, safe='')}"}
        return {"path": os.path.relpath(folder.root / file.place, wanted.lock)}

    return {
        "index": (folder.root / ROOT).resolve().as_uri() + "/",
        "published": [asdict(file) for file in files],
        "yanked": _names(yanked),
        "unyanked": _names(unyanked),
        "locks": locked.write(place),
    }


def _names(files: list[File]) -> list[str]:
    return [file.filename for file in files]


def _to_server(
    options: Globals,
    wanted: _Wanted,
    target: tuple[str, str],
    locked: _Locked,
    say: Callable[[str], None],
) -> dict[str, Any]:
    context = options.context()
    server = Server(
        target=target,
        simple=str(wanted.simple),
        runner=context.runner,
        say=say,
        log=context.logs / "upload.log",
    )
    done = server.upload(locked.releases)
    urls = {one.release.filename: one.url for one in done}
    rows = [
        {
            "filename": one.release.filename,
            "sha256": one.release.sha256,
            "size": one.release.size,
            "verified": one.release.level,
            "url": one.url,
            "sent": one.sent,
        }
        for one in done
    ]
    written = locked.write(lambda release: {"url": urls[release.filename]})
    return {"published": rows, "yanked": [], "unyanked": [], "locks": written}


def _locked_alone(locked: _Locked) -> dict[str, Any]:
    """Locks that name the wheels in their present folder, such as a wheelhouse."""

    def place(release: Release) -> locks.Place:
        return {"path": os.path.relpath(release.path, locked.folder)}

    return {"published": [], "yanked": [], "unyanked": [], "locks": locked.write(place)}
