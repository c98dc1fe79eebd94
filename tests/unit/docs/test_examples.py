"""The recipe and the profile that the how-tos show, as the tool reads them."""

from __future__ import annotations

import re
import tomllib

import pytest

from spokeshave.recipes import RecipeBook
from spokeshave.tables import Profile
from support import RECIPES, ROOT, shipped_plan

EXAMPLES = ROOT / "docs" / "examples"


def test_pywavelets_example_is_planned() -> None:
    loaded = RecipeBook([EXAMPLES, RECIPES]).load("pywavelets")
    assert loaded.recipe.verify.stack == ("numpy",)
    plan = shipped_plan("pywavelets", recipes=EXAMPLES, profile=str(RECIPES / "profiles" / "lean.toml"))
    assert plan.version == loaded.recipe.versions[0].version
    assert "link-time" not in {lever.name for lever in plan.levers}


def test_pywavelets_example_is_the_smallest() -> None:
    """Each of its keys is needed, but for those that its build, its check and its honesty need."""
    text = (EXAMPLES / "pywavelets" / "recipe.toml").read_text("utf-8")
    assert len(text.splitlines()) < 35
    assert "--hash=sha256:" in (EXAMPLES / "pywavelets" / "test-requirements.txt").read_text("utf-8")


def profiles(page: str) -> list[str]:
    found = re.findall(r"(?ms)^```toml\n(.*?)^```", (ROOT / "docs" / page).read_text("utf-8"))
    return [text for text in found if "\nname = " in text and "extends" in text]


@pytest.mark.parametrize("page", ["reference/profiles.md"])
def test_profile_in_a_page_is_valid(page: str) -> None:
    (text,) = profiles(page)
    profile = Profile.model_validate(tomllib.loads(text))
    parts = RecipeBook([RECIPES]).load("scipy").recipe.components
    assert {row.component for row in profile.remove} <= {f"scipy/{part.name}" for part in parts}
