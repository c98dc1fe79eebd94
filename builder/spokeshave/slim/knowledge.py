"""What recipes and the store know of the wheels that are to be slimmed; and whether removals are allowed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from packaging.version import Version

from spokeshave.context import Context
from spokeshave.errors import WheelError
from spokeshave.inside.model import Target
from spokeshave.inside.wheel import parse_name
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.build_schema import BlasTable
from spokeshave.removal.check import check_removals
from spokeshave.slim.blas_library import available
from spokeshave.slim.make_wheel import Known
from spokeshave.slim.model import Settings, Stock
from spokeshave.slim.recipe_use import Wish, find_use, removing
from spokeshave.slim.rules import choose
from spokeshave.sources.download import download_requirement


@dataclass(frozen=True, kw_only=True, slots=True)
class Knowledge:
    """Where knowledge comes from: the wish for recipes, and the wheel or folder of a shared BLAS.

    `wanted` is a requirement for pip that names that wheel, if it is fetched from an index.
    """

    wish: Wish = field(default_factory=Wish)
    blas: Path | None = None
    wanted: str = ""


def check_wish(context: Context, knowledge: Knowledge, target: Target) -> None:
    """Raises RemovalRefused where kept modules need what is to be removed, and RecipeError for what is not.

    It reads the sources of the versions that the recipes list. The paired imports check other versions.
    """
    if not knowledge.wish.off and (knowledge.wish.profile or knowledge.wish.remove):
        check_removals(context, removing(context.book, knowledge.wish), target)


def with_library(context: Context, knowledge: Knowledge, target: Target, folder: Path) -> Knowledge:
    """The knowledge with the wheel that its requirement names, fetched into `folder`.

    Raises NetworkError where pip does not find one, and WheelError for a version without a local label: PyPI
    refuses such versions, so that a wheel with one is from an index of the user's.
    """
    if not knowledge.wanted:
        return knowledge
    with context.reporter.stage(f"fetching {knowledge.wanted}"):
        path = download_requirement(
            knowledge.wanted,
            folder,
            python_tag=target.python,
            platforms=target.pip_platforms,
            runner=context.runner,
            log=context.logs / "slim-download.log",
        )
    if not Version(parse_name(path.name).version).local:
        raise WheelError(
            f"{path.name} is not a wheel of ours: its version has no local label",
            next_step=f"name the index or folder that has ours in pip's settings, and a version:"
            f" --blas {knowledge.wanted.partition('=')[0]}==0.3.31+lean.1",
        )
    return replace(knowledge, blas=path)


def known_of(context: Context, knowledge: Knowledge, stock: Stock, settings: Settings, output: Path) -> Known:
    """Recipe and rules of a wheel, and the wheels of a shared BLAS, which are read on request."""
    distribution = shared_blas(context.book)
    return Known(
        recipe=find_use(context.book, stock, settings, knowledge.wish),
        rules=choose(context.book.folders, stock, settings),
        libraries=partial(available, context, distribution, knowledge.blas, output),
    )


def shared_blas(book: RecipeBook) -> str:
    """The project name of the shared BLAS."""
    return book.load(BlasTable.model_validate({}).recipe).recipe.distribution
