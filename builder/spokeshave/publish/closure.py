"""What an install of wheels needs beyond them: their requirements, and pip's choice of wheels for those."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from spokeshave.errors import EngineMissing, PublishError
from spokeshave.inside.model import Target
from spokeshave.inside.run import Runner
from spokeshave.machine.venvs import find_interpreter, run_pip
from spokeshave.publish.release import Release

_RUNNING = f"cp{sys.version_info[0]}{sys.version_info[1]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """A wheel of the closure that is not among those to lock: where pip found it, and its sha256."""

    project: NormalizedName
    version: Version
    filename: str
    url: str
    sha256: str
    requires_python: str

    @property
    def file(self) -> Path | None:
        """The wheel on this machine; None for one that has an address."""
        parts = urlsplit(self.url)
        return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Closure:
    """What a lock names besides the wheels; `lacking`: what they need and a partial lock leaves to others."""

    outside: tuple[Outside, ...] = ()
    lacking: Mapping[str, list[str]] = field(default_factory=dict)


COMPLETE = Closure()


def pythons(releases: Iterable[Release]) -> tuple[str, ...]:
    """The Pythons that the wheels are for, such as cp311; the running one where all suit several."""
    tags = (tag for one in releases for tag in parse_wheel_filename(one.filename)[3])
    return tuple(sorted({tag.abi for tag in tags if tag.abi.startswith("cp")})) or (_RUNNING,)


def _fitting(releases: Iterable[Release], python: str) -> Iterator[Release]:
    """The wheels that this Python can install: those for it, and those that suit several."""
    for one in releases:
        if any(tag.abi in (python, "none", "abi3") for tag in parse_wheel_filename(one.filename)[3]):
            yield one


def missing(releases: Iterable[Release]) -> dict[str, list[str]]:
    """Requirements of the wheels that none of them meets: requirement to the projects that have it.

    Raises PublishError for one with a local version: an index that has it took it from somebody like us.
    """
    wheels = tuple(releases)
    needed: dict[str, list[str]] = {}
    for python in pythons(wheels):
        known = {one.project: one for one in _fitting(wheels, python)}
        for one, wanted in _requirements(known, python):
            name = canonicalize_name(wanted.name)
            if name in known and wanted.specifier.contains(known[name].version, prereleases=True):
                continue
            if any("+" in specifier.version for specifier in wanted.specifier):
                raise _not_named(one, wanted, known.get(name))
            rows = needed.setdefault(f"{name}{wanted.specifier}", [])
            rows += [] if one.project in rows else [one.project]
    return needed


def _requirements(
    known: Mapping[NormalizedName, Release], python: str
) -> Iterator[tuple[Release, Requirement]]:
    """Each requirement that holds for a Python, with the wheel that has it; extras as they are asked for."""
    asked = [(name, "") for name in known]
    seen = set(asked)
    for name, extra in asked:  # grows as it runs
        environment = {**_environment(python), "extra": extra}
        for line in known[name].requires:
            one = _requirement(known[name], line)
            if one.marker is not None and not one.marker.evaluate(environment):
                continue
            yield known[name], one
            more = {(canonicalize_name(one.name), canonicalize_name(text)) for text in one.extras}
            asked += sorted(pair for pair in more - seen if pair[0] in known)
            seen |= more


def _requirement(release: Release, line: str) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as fault:
        raise PublishError(
            f"{release.filename} has a requirement that pip does not read either: {line!r}",
            next_step="build that wheel with current tools, or lock the others alone",
        ) from fault


def _environment(python: str) -> dict[str, str]:
    """What markers see in that Python on this machine."""
    environment = cast("dict[str, str]", default_environment())
    if python.rstrip("t") == _RUNNING:
        return environment
    version = Target(python=python.rstrip("t")).python_version
    return {**environment, "python_version": version, "python_full_version": f"{version}.0"}


def _not_named(needing: Release, wanted: Requirement, there: Release | None) -> PublishError:
    has = f"the WHEELs have {there.version}" if there else "it is not among the WHEELs"
    return PublishError(
        f"{needing.project} {needing.version} needs {wanted.name}{wanted.specifier}: {has}",
        next_step="name that wheel too; a version with a label is never taken from an index",
    )


def resolve(
    releases: Iterable[Release], needed: Mapping[str, list[str]], runner: Runner, log: Path
) -> tuple[Outside, ...]:
    """The wheels that pip would install with these, out of the indexes that it is configured with.

    Raises PublishError where pip finds no set that fits, and where no Python of the wheels is here.
    """
    known = tuple(releases)
    found: dict[str, Outside] = {}
    for python in pythons(known):
        for one in _report(tuple(_fitting(known, python)), needed, python, runner, log):
            same = [other for other in found.values() if other.project == one.project]
            if same and same[0].version != one.version:
                versions = f"{one.project} {same[0].version} and {one.version}"
                why = f"the Pythons of the wheels need {versions}; lock one at a time"
                raise incomplete(needed, python, why)
            found[one.filename] = one
    return tuple(found[name] for name in sorted(found))


def _report(
    releases: tuple[Release, ...], needed: Mapping[str, list[str]], python: str, runner: Runner, log: Path
) -> list[Outside]:
    """What pip would install with the wheels for a Python. Nothing is built or installed."""
    try:
        interpreter = find_interpreter(Target(python=python), "pip's resolver").path
    except EngineMissing as fault:
        raise incomplete(needed, python, fault.what) from fault
    options = ("--dry-run", "--ignore-installed", "--only-binary=:all:", "--no-input", "--progress-bar=off")
    with TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        wheels = [os.fspath(one.path.resolve()) for one in releases]  # by path: no index can offer another
        done = run_pip(interpreter, ("install", *options, "--report", str(report), *wheels), runner, log)
        if not done.ok:
            lines = done.output.splitlines()
            faults = [line for line in lines if line.startswith("ERROR: ")] or lines
            raise incomplete(
                needed, python, "pip could not resolve them:\n  " + "\n  ".join(faults[-3:]), log
            )
        rows: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))["install"]
    ours = {one.project for one in releases}
    return [outside(row) for row in rows if canonicalize_name(row["metadata"]["name"]) not in ours]


def outside(row: Mapping[str, Any]) -> Outside:
    """A row of pip's report, without what is secret in its address; raises PublishError for no wheel."""
    metadata, parts = row["metadata"], urlsplit(row["download_info"]["url"])
    filename = unquote(parts.path.rpartition("/")[2])
    try:
        project, version, _, _ = parse_wheel_filename(filename)
        sha256 = row["download_info"]["archive_info"]["hashes"]["sha256"]
    except (InvalidWheelFilename, InvalidVersion, KeyError) as fault:
        raise PublishError(f"pip's report of {filename} cannot be locked: {fault!r}") from fault
    return Outside(
        project=project,
        version=version,
        filename=filename,
        url=urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")),
        sha256=str(sha256),
        requires_python=str(metadata.get("requires_python") or ""),
    )


def told(needed: Mapping[str, list[str]]) -> str:
    """Requirements and who has them, in a line."""
    return "; ".join(f"{name} ({', '.join(projects)})" for name, projects in needed.items())


def adding(names: Iterable[str], python: str) -> str:
    """The command that makes wheels of what is missing for a Python, to publish with the others."""
    words = [f"'{name}'" if set(name) & set("<>!~;[, ") else name for name in names]
    words += [] if python == Target().python else ["--python", python]
    return f"spokeshave slim {' '.join(words)} --output slim"


def incomplete(
    needed: Mapping[str, list[str]], python: str, reason: str, log: Path | None = None
) -> PublishError:
    """The error for a lock without all that an install needs."""
    return PublishError(
        f"the lock would not be complete. The WHEELs need, and do not include: {told(needed)}; {reason}",
        next_step=f"`{adding(needed, python)}`, and name slim/*.whl too;"
        " or lock the WHEELs alone with --partial, to install with --no-deps",
        log=log,
    )
