"""PyPI's wheels of the stack in a venv, and the shipped recipes with a store that is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest
from rich.console import Console

from spokeshave.context import Context
from spokeshave.inside.run import run
from spokeshave.machine.progress import PlainReporter
from spokeshave.machine.store import Store
from spokeshave.recipes.book import RecipeBook
from support import RECIPES
from venvs import kept_venv, target_python

OPTIONAL = (
    "openpyxl",
    "jinja2",
    "matplotlib",
    "pillow",
    "tables",
    "pytest",
)  # pandas and sklearn ask for them


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python of a venv with the versions that the recipes build, and what some components need."""
    book = RecipeBook([RECIPES])
    recipes = (book.load(name).recipe for name in ("numpy", "scipy", "pandas", "scikit-learn"))
    pins = [f"{recipe.distribution}=={recipe.versions[0].version}" for recipe in recipes]
    return kept_venv("trace", target_python(), [*pins, *OPTIONAL]) / "bin" / "python"


@pytest.fixture(scope="session")
def cache() -> Path:
    """A store whose entries are checked on each use: with the stack's sources and what they import."""
    return Path(platformdirs.user_cache_dir("spokeshave-tests")) / "trace"


@pytest.fixture
def context(cache: Path, tmp_path: Path) -> Context:
    """What the stages work with, and logs of its own."""
    reporter = PlainReporter(Console(stderr=True))
    store = Store(root=cache, say=reporter.say)
    return Context(
        book=RecipeBook([RECIPES]),
        store=store,
        runner=run,
        reporter=reporter,
        logs=tmp_path / "logs",
        environ=os.environ,
        cpus=2,
    )
