"""Runs make in an unpacked source, with an empty object instead of each one that nothing reaches."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from spokeshave.inside.model import BuildPlan
from spokeshave.inside.run import Command, run

_EMPTY = "empty-placeholder.o"


def make(
    plan: BuildPlan, build: Path, targets: Iterable[str], variables: Mapping[str, str], *, jobs: int
) -> None:
    """Makes the targets in that many jobs, with the plan's variables and flags, then `variables`.

    Raises RuntimeError where make fails.
    """
    settings = plan.compile.settings
    all_variables: Mapping[str, str] = {
        **settings["variables"],
        settings["flags-variable"]: " ".join(plan.compile.flags["c"]),
        **variables,
    }
    pairs = tuple(f"{key}={value}" for key, value in all_variables.items())
    # One make after the other: at the same time, two targets would write to one archive at once.
    goals: list[tuple[str, ...]] = [(name,) for name in targets]
    for goal in goals or [()]:
        argv = ("make", f"-j{jobs}", *pairs, *goal)
        done = run(Command(argv=argv, cwd=build, on_line=lambda line: print(line, flush=True)))
        if not done.ok:
            raise RuntimeError(f"make {' '.join(goal)} exited with {done.returncode}")


def put_placeholders(build: Path, names: Iterable[str]) -> None:
    """Puts an empty object where make would put each of these, so that make compiles none of them.

    Raises RuntimeError where a folder does not exist or the compiler fails.
    """
    empty = build / _EMPTY
    done = run(Command(argv=("cc", "-c", "-x", "c", "/dev/null", "-o", str(empty)), cwd=build))
    if not done.ok:
        raise RuntimeError(f"compiling an empty object exited with {done.returncode}: {done.output}")
    for name in names:
        if not (build / name).parent.is_dir():
            raise RuntimeError(f"{name} is listed as unreached, but the source has no such folder")
        shutil.copyfile(empty, build / name)
    empty.unlink()


def the_archive(build: Path, pattern: str) -> Path:
    """The static archive that make has written; raises RuntimeError where there is not exactly one."""
    found = sorted(path for path in build.glob(pattern) if not path.is_symlink())
    if len(found) != 1:
        raise RuntimeError(f"{pattern!r} matches {len(found)} archives in {build}")
    return found[0]


def check_members(archive: Path, names: Iterable[str]) -> None:
    """Raises RuntimeError where an object is not in the archive, and others of its folder are.

    Then make does not know its name. (Folders whose objects are all placeholders may not be archived.)
    """
    done = run(Command(argv=("ar", "t", str(archive))))
    members = set(done.output.split())
    paths = [Path(name) for name in names]
    archived = {path.parent for path in paths if path.name in members}
    strange = sorted(str(p) for p in paths if p.parent in archived and p.name not in members)
    if not done.ok or strange:
        raise RuntimeError(f"{len(strange)} objects listed as unreached are unknown to make: {strange[:10]}")
