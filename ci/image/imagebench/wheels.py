"""The wheels of both images: PyPI's by hash, ours by profile, and the index that an image installs from."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spokeshave.api import Context, ShrunkWheel, WheelError, download_wheels

BUILT = ("numpy", "scipy", "pandas", "scikit-learn")


def download(context: Context, requirements: Path, folder: Path) -> tuple[Path, ...]:
    """The PyPI wheels in a locked requirements file."""
    with context.reporter.stage(f"fetching the PyPI wheels of {requirements.name}"):
        return download_wheels(context, requirements, folder)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shrunk:
    """The wheels of our image, in an index with its lock (`folder`), by `spokeshave shrink`."""

    folder: Path
    wheels: tuple[ShrunkWheel, ...]

    @property
    def others(self) -> tuple[int, int]:
        """The packages without a recipe, in bytes, unpacked without bytecode: slim wheels, PyPI wheels."""
        rows = [one for one in self.wheels if one.pick.project not in BUILT and not one.extra]
        return sum(one.after for one in rows), sum(one.before for one in rows)


def require_built(wheels: Iterable[ShrunkWheel], profile: str, wheelhouse: Path) -> None:
    """Raises WheelError where a package with a recipe is not of a profile's wheels."""
    missing = [one.pick.project for one in wheels if one.pick.project in BUILT and one.tier != "built"]
    if missing:
        raise WheelError(
            f"{wheelhouse} has no wheel of profile {profile} of: {', '.join(missing)}",
            next_step=f"spokeshave build --all --profile {profile}, then spokeshave verify its wheels;"
            " or --no-built for PyPI's wheels",
        )


def into_context(shrunk: Path, folder: Path) -> None:
    """Copies an index and its lock where the Dockerfile expects them."""
    shutil.copytree(shrunk / "index", folder)
    shutil.copy(shrunk / "constraints.txt", folder)


def take_tests(context: Context, tests: Path, folder: Path) -> None:
    """Copies the service's tests for use in a container, with pytest in the folder `lib`."""
    shutil.copytree(tests, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "lib").mkdir()
    for wheel in download(context, tests / "requirements.txt", folder / "wheels"):
        shutil.unpack_archive(wheel, folder / "lib", "zip")  # pure Python, its sha256 checked
    shutil.rmtree(folder / "wheels")
