"""What a plan has of a shared library: its lists of symbols."""

from __future__ import annotations

from spokeshave.build import shared
from spokeshave.recipes.book import RecipeBook
from support import RECIPES

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
