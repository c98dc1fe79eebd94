"""Our own suites on the stock wheels: every function runs, on both sides of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from spokeshave.bench import Options
from spokeshave.bench.compare import compare_installs
from spokeshave.bench.sides import RUNNER
from spokeshave.own_code import package_root
from spokeshave.recipes.book import RecipeBook
from support import RECIPES
from venvs import kept_venv, target_python

pytestmark = pytest.mark.network
SUITES = package_root() / "bench" / "suites"


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of a venv with the stock wheels that the recipes have a version of; kept in the cache."""
    recipes = [
        RecipeBook([RECIPES]).load(name).recipe for name in ("numpy", "scipy", "pandas", "scikit-learn")
    ]
    pins = [f"{recipe.distribution}=={recipe.versions[0].version}" for recipe in recipes]
    return kept_venv("suites", target_python(), [*pins, *RUNNER]) / "bin" / "python"


@pytest.mark.parametrize("name", ["pandas", "sklearn", "blas"])
def test_every_function_of_our_own_suites_runs(python: Path, name: str) -> None:
    options = Options(rounds=1, pattern="gemm|gesv" if name == "blas" else "")
    report = compare_installs(python, python, SUITES / name, seconds=0, options=options)
    assert not any(report.header.broken.values())
    assert not report.faults, [(fault.case.label, fault.reason) for fault in report.faults]
    assert report.summary is not None
    assert report.summary.functions == report.header.functions
