"""Locks by exact version and hash: constraints.txt, and pylock.toml (PEP 751).

A lock is complete, and then names what the wheels need beyond them too, or it is partial and says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from spokeshave.errors import PublishError
from spokeshave.machine.files import alone_with, write_whole
from spokeshave.publish.closure import COMPLETE, Closure, Outside, told
from spokeshave.publish.release import Release

Place = Mapping[str, str]
"""Where a lock finds a wheel: its `url`, or its `path` from the lock's folder."""
_BY = "spokeshave publish"


def by_project(rows: Iterable[Release | Outside]) -> dict[NormalizedName, list[Release | Outside]]:
    """Wheels by project; raises PublishError where a project has two versions, which no lock can hold."""
    found: dict[NormalizedName, list[Release | Outside]] = {}
    for one in sorted(rows, key=lambda row: (row.project, row.filename)):
        same = found.setdefault(one.project, [])
        if same and same[0].version != one.version:
            raise PublishError(
                f"a lock cannot hold both {one.project} {same[0].version} and {one.version}",
                next_step="name the wheels of one profile: spokeshave publish wheelhouse/*+lean*.whl …",
            )
        same.append(one)
    return found


def constraints(releases: Iterable[Release], closure: Closure = COMPLETE, *, by: str = _BY) -> str:
    """The text of constraints.txt: also a requirements file with hashes; raises PublishError.

    `by` is the command that writes it.
    """
    lines = [f"# Written by `{by}`: for pip and uv, as -r or -c, with --require-hashes."]
    lines += _partial(closure)
    for project, rows in by_project([*releases, *closure.outside]).items():
        hashes = " \\\n".join(f"    --hash=sha256:{row.sha256}" for row in rows)
        lines.append(f"{project}=={rows[0].version} \\\n{hashes}")
    return "\n".join(lines) + "\n"


def _partial(closure: Closure) -> list[str]:
    if not closure.lacking:
        return []
    return ["# Partial: install it with --no-deps. Needed, and not in it:", f"# {told(closure.lacking)}."]


def pins(releases: Iterable[Release]) -> str:
    """The text of pins.txt: versions of our wheels alone; raises PublishError.

    pip wants hashes of everything once a constraint has one. An install of other packages with ours takes
    this as -c instead, and cannot replace ours then: public indexes have no local versions.
    """
    lines = [f"# Written by `{_BY}`: for pip and uv, as -c or -r, where our wheels are installed already."]
    lines += [f"{project}=={rows[0].version}" for project, rows in by_project(releases).items()]
    return "\n".join(lines) + "\n"


def pylock(
    releases: Iterable[Release], place: Callable[[Release | Outside], Place], closure: Closure = COMPLETE
) -> str:
    """The text of pylock.toml, valid by `packaging`; `place` says where each wheel is found.

    Raises PublishError where a project has two versions.
    """
    rows = by_project([*releases, *closure.outside])
    lock = Pylock(
        lock_version=Version("1.0"),
        created_by="spokeshave",
        packages=[_package(project, wheels, place) for project, wheels in rows.items()],
    )
    lock.validate()
    content: dict[str, Any] = dict(lock.to_dict())
    return "".join(f"{line}\n" for line in _partial(closure)) + tomli_w.dumps(content)


def _package(
    project: NormalizedName, rows: Sequence[Release | Outside], place: Callable[[Release | Outside], Place]
) -> Package:
    python = {row.requires_python for row in rows}
    return Package(
        name=project,
        version=rows[0].version,
        requires_python=SpecifierSet(python.pop()) if len(python) == 1 and any(python) else None,
        wheels=[
            PackageWheel(
                name=row.filename,
                url=place(row).get("url"),
                path=place(row).get("path"),
                size=row.size if isinstance(row, Release) else None,
                hashes={"sha256": row.sha256},
            )
            for row in rows
        ],
    )


def write(
    folder: Path,
    releases: Iterable[Release],
    place: Callable[[Release], Place],
    closure: Closure = COMPLETE,
) -> tuple[Path, ...]:
    """Writes the three locks into `folder` and returns their paths; raises PublishError as above."""
    wanted = tuple(releases)

    def either(row: Release | Outside) -> Place:
        if isinstance(row, Release):
            return place(row)
        return {"path": os.path.relpath(row.file, folder)} if row.file else {"url": row.url}

    texts = {
        "constraints.txt": constraints(wanted, closure),
        "pins.txt": pins(wanted),
        "pylock.toml": pylock(wanted, either, closure),
    }
    with alone_with(folder / "locks"):  # the three are of one run
        for name, text in texts.items():
            write_whole(folder / name, text)
    return tuple(folder / name for name in texts)
