"""What planning reads and prints: recipes and profiles, no PGO profile, and nothing."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from spokeshave.build import pipeline, plan
from spokeshave.context import Context, Request
from spokeshave.errors import RecipeError
from spokeshave.inside.model import Target
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.schema import Profile
from spokeshave.recipes.select import Chosen, chosen_components
from support import RECIPES, WHERE, make_context, shipped_plan

ASKED = Request(packages=("numpy",), profile="lean", target=Target())


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def context(tmp_path: Path, said: io.StringIO) -> Context:
    """With a copy of the shipped recipes, and a store of its own."""
    recipes = Path(shutil.copytree(RECIPES, tmp_path / "recipes"))
    return make_context(tmp_path, said=said, recipes=recipes)


def test_make_plans_pgo_profiles_missing_plans_and_prints_nothing(
    context: Context, said: io.StringIO
) -> None:
    bundles = list((context.book.folders[0] / "numpy" / "training").glob("*.tar.xz"))
    assert bundles
    for path in bundles:
        path.unlink()
    plans = pipeline.make_plans(context, ASKED, WHERE)
    assert [one.recipe for one in plans] == ["openblas", "numpy"]
    assert said.getvalue() == ""
    with pytest.raises(RecipeError, match="cannot be used"):
        pipeline.make_trained_plans(context, ASKED, WHERE)


def test_make_trained_plans_notes_say_why_there_is_no_pgo_profile(context: Context) -> None:
    found = pipeline.make_trained_plans(context, ASKED, WHERE)
    assert "without a PGO profile: none fits" in found.notes["numpy"]
    assert found.plans == pipeline.make_plans(context, ASKED, WHERE)


def test_make_plan_selects_components_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(loaded: Loaded, profile: Profile) -> Chosen:
        calls.append(loaded.recipe.name)
        return chosen_components(loaded, profile)

    monkeypatch.setattr(plan, "chosen_components", counted)
    assert shipped_plan("scipy", "sklearn").removed
    assert calls == ["openblas", "scipy"]


def test_make_plans_budget_of_unknown_distribution_is_refused_with_the_nearest(context: Context) -> None:
    lean = context.book.folders[0] / "profiles" / "lean.toml"
    lean.write_text(lean.read_text().replace("\nnumpy = ", "\nnunpy = "))
    with pytest.raises(RecipeError, match=r"profile lean: \[budgets\] names 'nunpy'") as caught:
        pipeline.make_plans(context, ASKED, WHERE)
    assert caught.value.next_step == "did you mean 'numpy'?"
