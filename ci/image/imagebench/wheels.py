"""The wheels of both images: PyPI's by hash, ours by profile, and the index that an image installs from."""

from __future__ import annotations

import shutil
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from spokeshave.api import Context, WheelError, download_wheels

BUILT = ("numpy", "scipy", "pandas", "scikit-learn")


def project(wheel: Path) -> str:
    """The normalized name of a wheel's project."""
    return canonicalize_name(parse_wheel_filename(wheel.name)[0])


def download(context: Context, requirements: Path, folder: Path) -> tuple[Path, ...]:
    """The PyPI wheels in a locked requirements file."""
    with context.reporter.stage(f"fetching the PyPI wheels of {requirements.name}"):
        return download_wheels(context, requirements, folder)


def find_built(wheelhouse: Path, profile: str) -> tuple[Path, ...]:
    """Our wheels of a profile, with the BLAS that they share.

    Raises WheelError if one is missing, or has two versions.
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
            next_step="remove the other ones from the wheelhouse",
        )
    return tuple(path for paths in found.values() for path in paths)


def take_tests(context: Context, tests: Path, folder: Path) -> None:
    """Copies the service's tests for use in a container, with pytest in the folder `lib`."""
    shutil.copytree(tests, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "lib").mkdir()
    for wheel in download(context, tests / "requirements.txt", folder / "wheels"):
        shutil.unpack_archive(wheel, folder / "lib", "zip")  # pure Python, its sha256 checked
    shutil.rmtree(folder / "wheels")
