"""The example service: its tests on the PyPI wheels, and its profile against today's recipes.

Images of it are `ci/image/compare`'s, which takes too long for here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from smallproject import what_all_need
from spokeshave.errors import RemovalRefused
from spokeshave.recipes.book import RecipeBook
from support import RECIPES, ROOT
from venvs import kept_venv, target_python

SERVICE = ROOT / "ci" / "image"
PROFILE = SERVICE / "bookgen.toml"
pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of a venv with the service's requirements by hash, made once in the user's cache."""
    if shutil.which("pandoc") is None:
        pytest.skip("there is no pandoc, which the service runs")
    files = [SERVICE / "requirements.txt", SERVICE / "tests" / "requirements.txt"]
    words = ["--require-hashes", *(word for file in files for word in ("-r", str(file)))]
    return (
        kept_venv("bookgen", target_python(), words, content=b"".join(file.read_bytes() for file in files))
        / "bin/python"
    )


def test_bookgen_tests_pass_on_the_pypi_wheels(python: Path) -> None:
    """As many as docs/data/image.toml says, from which the documentation is made."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    argv = [str(python), "-B", "-m", "pytest", "-q", "tests"]
    done = subprocess.run(argv, cwd=SERVICE, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"(?m)^(\d+) passed in ", done.stdout)
    assert counted, done.stdout
    documented = tomllib.loads((ROOT / "docs" / "data" / "image.toml").read_text("utf-8"))["tests"]
    assert documented == int(counted[1])


def plan_all(folder: Path, profile: str) -> subprocess.CompletedProcess[str]:
    """`plan --all` over the sources of the whole stack, with a cache that may have them."""
    shutil.copytree(what_all_need(), folder / "cache")
    argv = [sys.executable, "-m", "spokeshave", "--cache", str(folder / "cache"), "--recipes", str(RECIPES)]
    argv += ["plan", "--all", "--profile", profile, "--json"]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


def test_its_profile_is_planned_and_nothing_kept_needs_what_goes(tmp_path: Path) -> None:
    """The closure is asked, over the sources of the whole stack."""
    done = plan_all(tmp_path, str(PROFILE))
    assert done.returncode == 0, done.stderr
    plans = {plan["recipe"]: plan for plan in json.loads(done.stdout)}
    assert plans.keys() >= {"numpy", "scipy", "pandas", "scikit-learn", "openblas"}
    out = {f"{name}/{one['component']}" for name, plan in plans.items() for one in plan["removed"]}
    assert out == {row.component for row in RecipeBook([RECIPES]).profile(str(PROFILE)).remove}


def test_without_its_other_removals_one_of_them_is_refused(tmp_path: Path) -> None:
    """Its scikit-learn has no hierarchical clustering; lean's has, and needs scipy's."""
    profile = tmp_path / "app.toml"
    profile.write_text(
        'schema = 1\nname = "app"\nextends = "lean"\nsummary = "x"\n'
        '[[remove]]\ncomponent = "scipy/cluster"\nreason = "nothing clusters"\n'
    )
    done = plan_all(tmp_path, str(profile))
    assert done.returncode == RemovalRefused.exit_code
    assert re.search(r"sklearn\.cluster\._agglomerative:\d+ → scipy\.cluster\.hierarchy", done.stderr)
