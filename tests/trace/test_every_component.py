"""A script that uses a component in its plainest way, for every one of the stack: `trace` keeps it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from spokeshave.context import Context
from spokeshave.recipes.book import RecipeBook
from spokeshave.trace.resolve import reasons_to_keep, resolve
from spokeshave.trace.session import Traced, run_once
from support import RECIPES, TARGET

pytestmark = pytest.mark.network
USES: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("uses.toml").read_text("utf-8"))
NAMES = [f"{recipe}/{name}" for recipe, scripts in USES.items() for name in scripts]
# One a package, by ways on which nothing but a call of compiled code shows the use.
WHOLE = ["numpy/random", "scipy/kdtree", "pandas/interval", "scikit-learn/distance-metrics"]


def traced(context: Context, python: Path, folder: Path, name: str) -> Traced:
    recipe, _, part = name.partition("/")
    script = folder / "script.py"
    script.write_text(USES[recipe][part], "utf-8")
    found = run_once(context, [str(python), "-W", "ignore", str(script)], os.environ)
    assert found.run.exit_code == 0
    return found


def test_every_component_has_a_script() -> None:
    book = RecipeBook([RECIPES])
    recipes = [book.load(name).recipe for name in book.names()]
    wanted = {f"{one.name}/{part.name}" for one in recipes if one.kind == "python" for part in one.components}
    assert set(NAMES) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_trace_a_component_in_use_is_kept(context: Context, python: Path, tmp_path: Path, name: str) -> None:
    run = traced(context, python, tmp_path, name).run
    assert name in reasons_to_keep(context, context.book.profile("full"), TARGET, [run])


@pytest.mark.parametrize("name", WHOLE)
def test_resolve_a_component_in_use_is_kept(
    context: Context, python: Path, tmp_path: Path, name: str
) -> None:
    run = traced(context, python, tmp_path, name).run
    found = resolve(context, context.book.profile("lean"), TARGET, [run])
    kept = {one.component: one.why for one in found.verdicts if not one.removed}
    assert name in kept
    assert len(found.removed) > 20, "what no script came near goes all the same"
