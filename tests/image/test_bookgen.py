"""The example service: its own tests on the stock wheels, and its profile against today's recipes.

Images of it are `ci/image/measure`'s, which takes too long for here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from smallproject import what_all_need
from spokeshave.engines.host import find_python
from spokeshave.errors import EngineMissing
from spokeshave.model import Target
from spokeshave.recipes import RecipeBook
from support import RECIPES, ROOT
from venvs import kept_venv

SERVICE = ROOT / "ci" / "image"
PROFILE = SERVICE / "bookgen.toml"
pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of a venv with the service's requirements by hash, made once in the user's cache."""
    if shutil.which("pandoc") is None:
        pytest.skip("there is no pandoc, which the service runs")
    try:
        base = find_python(Target())
    except EngineMissing as missing:
        pytest.skip(missing.what)
    files = [SERVICE / "requirements.txt", SERVICE / "tests" / "requirements.txt"]
    words = ["--require-hashes", *(word for file in files for word in ("-r", str(file)))]
    return (
        kept_venv("bookgen", base, words, content=b"".join(file.read_bytes() for file in files))
        / "bin/python"
    )


def test_its_tests_pass_on_the_stock_wheels(python: Path) -> None:
    """As many as the README says."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    argv = [str(python), "-B", "-m", "pytest", "-q", "tests"]
    done = subprocess.run(argv, cwd=SERVICE, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"(?m)^(\d+) passed in ", done.stdout)
    assert counted, done.stdout
    told = re.search(r"and (\d+) tests that need each of them", (ROOT / "README.md").read_text("utf-8"))
    assert told and told[1] == counted[1]


def test_its_profile_is_planned_and_nothing_kept_needs_what_goes(tmp_path: Path) -> None:
    """The closure is asked, over the sources of the whole stack."""
    shutil.copytree(what_all_need(), tmp_path / "cache")
    argv = [sys.executable, "-m", "spokeshave", "--cache", str(tmp_path / "cache"), "--recipes", str(RECIPES)]
    argv += ["plan", "--all", "--profile", str(PROFILE), "--json"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plans = {plan["recipe"]: plan for plan in json.loads(done.stdout)}
    assert plans.keys() >= {"numpy", "scipy", "pandas", "scikit-learn", "openblas"}
    out = {f"{name}/{one['component']}" for name, plan in plans.items() for one in plan["removed"]}
    assert out == {row.component for row in RecipeBook([RECIPES]).profile(str(PROFILE)).remove}
