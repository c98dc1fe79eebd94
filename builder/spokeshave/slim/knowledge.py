"""What recipes and the store know of the wheels that are to be slimmed; and whether removals are allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from spokeshave.context import Context
from spokeshave.inside.model import Target
from spokeshave.recipes.build_schema import BlasTable
from spokeshave.removal.check import check_removals
from spokeshave.slim.blas_library import available
from spokeshave.slim.make_wheel import Known
from spokeshave.slim.model import Settings, Stock
from spokeshave.slim.recipe_use import Wish, find_use, removing


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where knowledge comes from: the wish for recipes, and the wheel or folder of a shared BLAS."""

    wish: Wish = field(default_factory=Wish)
    blas: Path | None = None


def check_wish(context: Context, source: Source, target: Target) -> None:
    """Raises RemovalRefused where kept modules need what is to be removed, and RecipeError for what is not.

    It reads the sources of the versions that the recipes list. The paired imports check other versions.
    """
    if not source.wish.off and (source.wish.profile or source.wish.remove):
        check_removals(context, removing(context.book, source.wish), target)


def known_of(context: Context, source: Source, stock: Stock, settings: Settings, output: Path) -> Known:
    """The recipe of a wheel, and the wheels of a shared BLAS; these are read when they are asked for."""
    recipe = BlasTable.model_validate({}).recipe
    distribution = context.book.load(recipe).recipe.distribution
    return Known(
        recipe=find_use(context.book, stock, settings, source.wish),
        libraries=available(context, distribution, source.blas, output),
    )
