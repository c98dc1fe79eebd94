"""Locks that name our wheels by exact version and hash: constraints.txt, and pylock.toml (PEP 751)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from spokeshave.errors import PublishError
from spokeshave.files import alone_with, write_whole
from spokeshave.publish.release import Release

Place = Mapping[str, str]
"""Where a lock finds a wheel: its `url`, or its `path` from the lock's folder."""


def by_project(releases: Iterable[Release]) -> dict[NormalizedName, list[Release]]:
    """Releases by project; raises PublishError where a project has two versions, which no lock can hold."""
    found: dict[NormalizedName, list[Release]] = {}
    for release in sorted(releases, key=lambda one: (one.project, one.filename)):
        rows = found.setdefault(release.project, [])
        if rows and rows[0].version != release.version:
            raise PublishError(
                f"a lock cannot hold both {release.project} {rows[0].version} and {release.version}",
                next_step="name the wheels of one profile: spokeshave publish wheelhouse/*+lean*.whl …",
            )
        rows.append(release)
    return found


def missing(releases: Iterable[Release]) -> dict[str, list[str]]:
    """What the wheels need for this Python and have not among them: requirement to who needs it."""
    known = tuple(releases)
    names = {release.project for release in known}
    needed: dict[str, list[str]] = {}
    for release in known:
        for line in release.requires:
            one = Requirement(line)
            wanted = one.marker is None or one.marker.evaluate({"extra": ""})
            if wanted and canonicalize_name(one.name) not in names:
                needed.setdefault(canonicalize_name(one.name), []).append(release.project)
    return needed


def constraints(releases: Iterable[Release]) -> str:
    """The text of constraints.txt: also a requirements file with hashes; raises PublishError."""
    lines = ["# Written by `spokeshave publish`: for pip and uv, as -r or -c, with --require-hashes."]
    for project, rows in by_project(releases).items():
        hashes = " \\\n".join(f"    --hash=sha256:{row.sha256}" for row in rows)
        lines.append(f"{project}=={rows[0].version} \\\n{hashes}")
    return "\n".join(lines) + "\n"


def pins(releases: Iterable[Release]) -> str:
    """The text of pins.txt, the same without hashes; raises PublishError.

    pip wants hashes of everything once a constraint has one. An install of other packages beside ours takes
    this as -c instead, and cannot replace ours then: public indexes have no local versions.
    """
    lines = ["# Written by `spokeshave publish`: for pip, as -c, where our wheels are installed already."]
    lines += [f"{project}=={rows[0].version}" for project, rows in by_project(releases).items()]
    return "\n".join(lines) + "\n"


def pylock(releases: Iterable[Release], place: Callable[[Release], Place]) -> str:
    """The text of pylock.toml, valid by `packaging`; `place` says where each wheel is found.

    Raises PublishError where a project has two versions.
    """
    lock = Pylock(
        lock_version=Version("1.0"),
        created_by="spokeshave",
        packages=[_package(project, rows, place) for project, rows in by_project(releases).items()],
    )
    lock.validate()
    content: dict[str, Any] = dict(lock.to_dict())
    return tomli_w.dumps(content)


def _package(project: NormalizedName, rows: list[Release], place: Callable[[Release], Place]) -> Package:
    python = {row.requires_python for row in rows}
    return Package(
        name=project,
        version=rows[0].version,
        requires_python=SpecifierSet(python.pop()) if len(python) == 1 else None,
        wheels=[
            PackageWheel(
                name=row.filename,
                url=place(row).get("url"),
                path=place(row).get("path"),
                size=row.size,
                hashes={"sha256": row.sha256},
            )
            for row in rows
        ],
    )


def write(folder: Path, releases: Iterable[Release], place: Callable[[Release], Place]) -> tuple[Path, ...]:
    """Writes the three locks into `folder` and returns their paths; raises PublishError as above."""
    wanted = tuple(releases)
    texts = {
        "constraints.txt": constraints(wanted),
        "pins.txt": pins(wanted),
        "pylock.toml": pylock(wanted, place),
    }
    with alone_with(folder / "locks"):  # the three are of one run
        for name, text in texts.items():
            write_whole(folder / name, text)
    return tuple(folder / name for name in texts)
