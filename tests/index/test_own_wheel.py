"""The wheel of spokeshave itself, installed with its declared requirements."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from ownwheel import build_wheel
from support import ROOT, needs_compiler

pytestmark = pytest.mark.network


@needs_compiler
def test_own_wheel_installed_with_its_requirements_plans_numpy(tmp_path: Path) -> None:
    """A requirement that only the extra `dev` brings is missing here."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    programs = tmp_path / "venv" / "bin"
    pip = [sys.executable, "-P", "-m", "pip", "--python", str(programs / "python"), "install", "--quiet"]
    subprocess.run([*pip, str(build_wheel(ROOT, tmp_path / "dist"))], check=True, timeout=600)
    for words, start in [
        (["plan", "numpy", "--engine", "host"], "slim-openblas "),
        (["doctor", "--json"], "{"),
        (["slim", "--help"], "Usage: "),
    ]:
        argv = [str(programs / "spokeshave"), *words]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stdout.startswith(start), done.stderr
