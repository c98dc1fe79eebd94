"""What a profile and a target select of a recipe."""

from __future__ import annotations

import tomllib

import pytest

from demorecipe import RECIPE
from spokeshave.errors import RecipeError
from spokeshave.inside.model import Target
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.schema import Recipe
from spokeshave.recipes.select import (
    chosen_components,
    library_names,
    patch_names,
    pick_version,
    removal_patch_names,
    source_pin,
)
from support import RECIPES

BOOK = RecipeBook([RECIPES])


@pytest.fixture
def demo() -> Recipe:
    """Version 2.0 is for Python 3.12 and newer, version 1.0 for all."""
    return Recipe.model_validate(tomllib.loads(RECIPE) | {"components": []})


@pytest.mark.parametrize(
    ("python", "wanted", "version"), [("3.12", None, "2.0"), ("3.11", None, "1.0"), ("3.12", "1.0", "1.0")]
)
def test_pick_version_without_a_wish_is_the_newest_for_the_python(
    demo: Recipe, python: str, wanted: str | None, version: str
) -> None:
    assert pick_version(demo, python, wanted).version == version


@pytest.mark.parametrize(("python", "wanted"), [("3.10", None), ("3.11", "2.0"), ("3.12", "9")])
def test_pick_version_none_that_fits_lists_all(demo: Recipe, python: str, wanted: str | None) -> None:
    with pytest.raises(RecipeError, match="no version") as caught:
        pick_version(demo, python, wanted)
    assert "2.0 (Python >=3.12), 1.0" in caught.value.next_step


def test_source_pin_of_a_wheel_is_by_platform() -> None:
    row = BOOK.load("scipy-openblas").recipe.versions[0]
    for python in ("cp311", "cp312"):
        pin = source_pin(row, Target(python=python))
        assert (pin["pypi"], len(pin["sha256"])) == ("scipy-openblas32", 64)
    with pytest.raises(RecipeError, match="pins no wheel for manylinux_aarch64") as caught:
        source_pin(row, Target(arch="aarch64"))
    assert "manylinux_x86_64" in caught.value.next_step


def test_chosen_components_have_the_profiles_rows_in_its_order() -> None:
    profile = BOOK.profile("lean")
    found = chosen_components(BOOK.load("scipy"), profile)
    rows = [row for row in profile.remove if row.component.startswith("scipy/")]
    assert rows and [row for _, row in found] == rows
    assert [f"scipy/{part.name}" for part, _ in found] == [row.component for row in rows]


def test_chosen_components_unknown_one_names_the_nearest() -> None:
    profile = BOOK.profile("lean")
    row = profile.remove[0].model_copy(update={"component": "scipy/assembled-docstring"})
    with pytest.raises(RecipeError, match="no component 'assembled-docstring'") as caught:
        chosen_components(BOOK.load("scipy"), profile.model_copy(update={"remove": (row,)}))
    assert caught.value.next_step == "did you mean 'assembled-docstrings'?"


def test_removal_patch_names_are_those_of_the_components_each_once() -> None:
    loaded = BOOK.load("scipy")
    chosen = chosen_components(loaded, BOOK.profile("sklearn"))
    names = removal_patch_names(chosen)
    assert names and set(names) == {patch for part, _ in chosen for patch in part.patches}
    assert len(set(names)) == len(names)
    assert not set(names) & set(patch_names(loaded.recipe.versions[0]))


def test_patch_names_of_a_narrow_blas_are_the_versions_and_its_own() -> None:
    version = BOOK.load("numpy").recipe.versions[0]
    assert patch_names(version) == version.patches
    assert patch_names(version, lp64=True) == (*version.patches, *version.lp64_patches)
    assert version.lp64_patches


@pytest.mark.parametrize(("profile", "blas"), [("lean", "openblas"), ("netlib", "netlib")])
def test_library_names_blas_is_the_profiles(profile: str, blas: str) -> None:
    assert library_names(BOOK.load("numpy").recipe, BOOK.profile(profile)) == [blas]


def test_patch_names_without_docstrings_end_with_those_that_leave_them_out() -> None:
    version = BOOK.load("scipy").recipe.versions[0]
    assert patch_names(version, docstrings=False) == (*version.patches, *version.docstring_patches)
    assert version.docstring_patches
