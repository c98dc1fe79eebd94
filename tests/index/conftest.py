"""Real installers and servers, in a venv of the tests' own, from the index that pip is configured with."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from filelock import FileLock

from indexing import Installer, Tools

REQUIREMENTS = ("pip>=26.1,<27", "uv>=0.8,<1", "devpi-server>=6.14,<7", "pypiserver[passlib]>=2.3,<3")


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The venv, made once for these requirements and this Python, in the user's cache."""
    key = hashlib.sha256("\n".join([sys.version, *REQUIREMENTS]).encode()).hexdigest()[:12]
    folder = Path(platformdirs.user_cache_dir("spokeshave-tests")) / f"index-tools-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = folder / "done"
    with FileLock(f"{folder}.lock"):
        if not done.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            argv = [str(folder / "bin" / "pip"), "install", "--quiet", *REQUIREMENTS]
            subprocess.run(argv, check=True, timeout=900)
            done.touch()
    return Tools(folder=folder)


@pytest.fixture(params=["pip", "uv"])
def installer(request: pytest.FixtureRequest, tools: Tools, tmp_path: Path) -> Installer:
    """pip and uv in turn."""
    return Installer(name=request.param, tools=tools, root=tmp_path)
