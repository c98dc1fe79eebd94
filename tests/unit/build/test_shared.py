"""What a plan has of a shared library: its lists of symbols, and the widths of its integers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spokeshave.build import shared
from spokeshave.recipes.book import RecipeBook
from support import RECIPES, shipped_plan

BOOK = RecipeBook([RECIPES])


def test_unlinked_symbols_are_those_of_removed_components() -> None:
    loaded, lean = BOOK.load("openblas"), BOOK.profile("lean")
    removed = lean.remove[0].model_copy(update={"component": "scipy/lapack-interfaces"})
    less = lean.model_copy(update={"remove": (removed,)})
    whole = lean.model_copy(update={"remove": ()})
    assert shared.listings(loaded, less) == shared.listings(loaded, whole)
    assert "cbbcsd_" in shared.listings(loaded, less)["exports-stack.txt"].split()
    assert "cbbcsd_" in shared.unlinked(loaded, less)
    assert shared.unlinked(loaded, whole) == shared.unlinked(BOOK.load("numpy"), less) == ()
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


@pytest.mark.parametrize(
    ("offered", "wide", "found"),
    [
        ({"ilp64_setup_args": {"blas": "wide"}}, True, {"blas": "wide"}),
        ({"ilp64_setup_args": {}}, True, {}),
        ({}, False, {"blas": "narrow"}),
    ],
)
def test_is_wide_follows_the_offer_whatever_its_options(
    offered: dict[str, dict[str, str]], wide: bool, found: dict[str, str]
) -> None:
    numpy, scipy = BOOK.load("numpy").recipe, BOOK.load("scipy").recipe
    offers = {"provides": "blas", "setup_args": {"blas": "narrow"}, **offered}
    library = replace(shipped_plan("openblas"), offers=offers)
    assert shared.is_wide(numpy, (library,)) is wide and not shared.is_wide(scipy, (library,))
    assert shared.setup_args(numpy, library) == found
    assert shared.setup_args(scipy, library) == {"blas": "narrow"}
