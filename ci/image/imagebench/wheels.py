"""The wheels of both images: stock by hash, ours by profile, and the index that an image installs from."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from spokeshave.context import Context
from spokeshave.errors import WheelError
from spokeshave.inside.model import Target
from spokeshave.publish import lock
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.release import gather
from spokeshave.sources.download import download_locked

TARGET = Target()
_NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)  # the same index is the same layer to Docker's cache
BUILT = ("numpy", "scipy", "pandas", "scikit-learn")


def project(wheel: Path) -> str:
    """The normalized name of a wheel's project."""
    return canonicalize_name(parse_wheel_filename(wheel.name)[0])


def download(context: Context, requirements: Path, folder: Path) -> tuple[Path, ...]:
    """The stock wheels that a locked requirements file names."""
    with context.reporter.stage(f"fetching the stock wheels of {requirements.name}"):
        return download_locked(
            requirements,
            folder,
            python_tag=TARGET.python,
            platforms=TARGET.pip_platforms,
            runner=context.runner,
            log=context.logs / "image-download.log",
        )


def find_built(wheelhouse: Path, profile: str) -> tuple[Path, ...]:
    """Our wheels of a profile, with the BLAS that they share.

    Raises WheelError where one is missing, or is there in two versions.
    """
    found: dict[str, list[Path]] = {}
    for wheel in sorted(wheelhouse.glob(f"*+{profile}.*.whl")):
        found.setdefault(project(wheel), []).append(wheel)
    missing = [name for name in BUILT if name not in found]
    if missing:
        raise WheelError(
            f"{wheelhouse} has no wheel of profile {profile} of: {', '.join(missing)}",
            next_step=f"spokeshave build --all --profile {profile}, then spokeshave verify its wheels",
        )
    twice = [str(path) for paths in found.values() if len(paths) > 1 for path in paths]
    if twice:
        raise WheelError(
            f"more than one version of a wheel: {', '.join(twice)}",
            next_step="move the ones that are not meant out of the wheelhouse",
        )
    return tuple(path for paths in found.values() for path in paths)


def make_index(context: Context, wheels: Iterable[Path], folder: Path, *, unverified: bool) -> None:
    """An index with its lock in `folder`, as `spokeshave publish --to folder --lock folder` makes it.

    Raises VerifyError for a wheel without a proof, unless `unverified`, and WheelError for an unsound one.
    """
    releases = gather(wheels, unverified=unverified)
    index = IndexFolder(root=folder, say=context.reporter.say)
    places = {file.filename: file.place for file in index.add(releases, _NO_DATE)}
    lock.write(folder, releases, lambda release: {"path": places[release.filename]})


def take_tests(context: Context, tests: Path, folder: Path) -> None:
    """The service's tests, and pytest beside them in `lib`: what is copied into a container."""
    shutil.copytree(tests, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "lib").mkdir()
    for wheel in download(context, tests / "requirements.txt", folder / "wheels"):
        shutil.unpack_archive(wheel, folder / "lib", "zip")  # pure Python, its sha256 checked
    shutil.rmtree(folder / "wheels")
