"""scipy's new distributions have the parameters of their family as attributes before an instance is made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the wheels are for CPython 3.11")

ASK = """
import json
from scipy.stats import Binomial, Normal, Uniform
print(json.dumps({one.__name__: [name for name in dir(one) if not name.startswith("_")] for one in (
    Binomial, Normal, Uniform)}))
"""
PARAMETERS = {"Binomial": {"n", "p"}, "Normal": {"mu", "sigma"}, "Uniform": {"a", "ab", "b"}}


def test_distributions_have_their_parameters_at_once(wheelhouse: Path, tmp_path: Path) -> None:
    profile = sorted(path.name.split("+")[1].split(".")[0] for path in wheelhouse.glob("numpy-*.whl"))[0]
    wheels = sorted(wheelhouse.glob(f"*+{profile}.*.whl"))
    if not any(wheel.name.startswith("scipy-") for wheel in wheels):
        pytest.skip("the wheelhouse has no scipy: spokeshave build --all")
    wanted = [str(wheel) for wheel in wheels if wheel.name.startswith(("numpy-", "scipy-", "slim_"))]
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    subprocess.run([*argv, "--target", str(tmp_path / "site"), *wanted], check=True)
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", ASK], env=env, stdout=subprocess.PIPE, text=True, check=True)
    names = {family: set(found) for family, found in json.loads(done.stdout).items()}
    assert {family: found & PARAMETERS[family] for family, found in names.items()} == PARAMETERS
