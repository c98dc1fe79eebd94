"""The recipe and the profile that the how-tos show, as the tool reads them."""

from __future__ import annotations

import textwrap
import tomllib
from pathlib import Path

import pytest

from pages import blocks, pages
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.schema import Profile
from support import RECIPES, ROOT, shipped_plan

EXAMPLES = ROOT / "docs" / "examples"


def test_pywavelets_example_is_planned(tmp_path: Path) -> None:
    for folder in (*RECIPES.iterdir(), EXAMPLES / "pywavelets"):
        (tmp_path / folder.name).symlink_to(folder)
    loaded = RecipeBook([tmp_path]).load("pywavelets")
    assert loaded.recipe.verify.stack == ("numpy",)
    plan = shipped_plan("pywavelets", recipes=tmp_path)
    assert plan.version == loaded.recipe.versions[0].version
    assert "link-time" not in {lever.name for lever in plan.levers}


def test_pywavelets_example_is_the_smallest() -> None:
    """Each of its keys is needed, but for those that its build, its check and its honesty need."""
    text = (EXAMPLES / "pywavelets" / "recipe.toml").read_text("utf-8")
    assert len(text.splitlines()) < 35
    assert "--hash=sha256:" in (EXAMPLES / "pywavelets" / "test-requirements.txt").read_text("utf-8")


def toml_blocks() -> list[tuple[str, str]]:
    """The TOML of all pages, by page."""
    return [
        (str(page.relative_to(ROOT)), block.text)
        for page in pages()
        for block in blocks(page.read_text("utf-8"))
        if block.kind == "toml"
    ]


@pytest.mark.parametrize(("page", "text"), toml_blocks())
def test_toml_in_a_page_is_valid_and_its_components_exist(page: str, text: str) -> None:
    data = tomllib.loads(textwrap.dedent(text))
    book = RecipeBook([RECIPES])
    for row in data.get("remove", ()):
        recipe, name = row["component"].split("/")
        assert name in {part.name for part in book.load(recipe).recipe.components}


def test_profile_in_the_reference_is_valid() -> None:
    (text,) = (text for page, text in toml_blocks() if page == "docs/reference/profiles.md")
    assert Profile.model_validate(tomllib.loads(text)).extends == "lean"
