"""Venvs of the tests' own: kept in the user's cache from one run to the next, or fresh with one wheel."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import platformdirs
import pytest
from filelock import FileLock

from spokeshave.errors import EngineMissing
from spokeshave.inside.model import Target
from spokeshave.machine.toolchain import find_python


def target_python() -> str:
    """The interpreter of the wheels' Python; skips the test where there is none."""
    try:
        return find_python(Target())
    except EngineMissing as missing:
        pytest.skip(missing.what)


def kept_venv(name: str, python: str, words: Sequence[str], *, content: bytes = b"") -> Path:
    """The folder of a venv with what `pip install` makes of `words`, made once for these and this Python.

    `content` is what the files among the words hold.
    """
    version = subprocess.check_output([python, "-VV"])
    key = hashlib.sha256(b"\n".join([version, *(word.encode() for word in words), content])).hexdigest()
    folder = Path(platformdirs.user_cache_dir("spokeshave-tests")) / f"{name}-{key[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = folder / "done"
    with FileLock(f"{folder}.lock"):
        if not done.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([python, "-m", "venv", str(folder)], check=True)
            argv = [str(folder / "bin" / "pip"), "install", "--quiet", *words]
            subprocess.run(argv, check=True, timeout=900)
            done.touch()
    return folder


def fresh_python(venv: Path, wheel: Path) -> Path:
    """The Python of a new venv for the target, with one wheel and from no index."""
    subprocess.run([find_python(Target()), "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheel)], check=True)
    return venv / "bin" / "python"
