"""What a plan has of a shared library: its lists of symbols, and the widths of its integers."""

from __future__ import annotations

import pytest

from spokeshave.build import shared
from spokeshave.recipes.book import RecipeBook
from support import RECIPES, shipped_plan

BOOK = RecipeBook([RECIPES])


def test_listings_lose_the_symbols_of_removed_components() -> None:
    loaded, lean = BOOK.load("openblas"), BOOK.profile("lean")
    removed = lean.remove[0].model_copy(update={"component": "scipy/lapack-interfaces"})
    less = shared.listings(loaded, lean.model_copy(update={"remove": (removed,)}))
    whole = shared.listings(loaded, lean.model_copy(update={"remove": ()}))
    assert whole.keys() == less.keys()
    assert "cbbcsd_" in whole["exports-stack.txt"].split()
    assert "cbbcsd_" not in less["exports-stack.txt"].split()
    assert shared.listings(BOOK.load("numpy"), lean) == {}


@pytest.mark.parametrize(
    ("recipe", "profile", "symbols"),
    [
        ("openblas", "lean", {"lp64": "cblas_dgemm", "ilp64": "scipy_cblas_dgemm64_"}),
        ("netlib", "netlib", {"lp64": "cblas_dgemm"}),
    ],
)
def test_symbols_of_a_library_are_those_of_its_widths(
    recipe: str, profile: str, symbols: dict[str, str]
) -> None:
    assert shared.symbols_of(shipped_plan(recipe, profile), "cblas_dgemm") == symbols
