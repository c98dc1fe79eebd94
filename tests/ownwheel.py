"""Our own distributions, built from this checkout without a network."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from support import ROOT


def build_sdist(folder: Path) -> Path:
    """The sdist of this checkout."""
    return _build(ROOT, folder, "sdist")


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of an unpacked sdist."""
    return _build(source, folder, "wheel")


def unpack_sdist(sdist: Path, folder: Path) -> Path:
    """The folder with the content of an sdist."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / sdist.name.removesuffix(".tar.gz")


def _build(source: Path, folder: Path, kind: str) -> Path:
    argv = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
    subprocess.run(argv, cwd=source, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built
