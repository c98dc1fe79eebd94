"""Patterns of a recipe that matched nothing in a build, and the error that names them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from spokeshave.errors import RecipeError
from spokeshave.inside.model import BuildPlan
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.patterns import Row, source_rows, wheel_rows

_OTHERS = {"build.grafts": "library that auditwheel copies"}


def check_sources(loaded: Loaded, plan: BuildPlan, unmatched: Collection[str]) -> None:
    """Raises RecipeError where rows of the recipe match no compiled source."""
    _check(loaded, plan, unmatched, source_rows(loaded.recipe), "compiled source")


def check_wheel(loaded: Loaded, plan: BuildPlan, unmatched: Collection[str]) -> None:
    """Raises RecipeError where rows of the recipe match no file of the compiled wheel.

    A pattern that matches the stub of a component is for profiles that remove the component.
    """
    stubs = [f"{m.replace('.', '/')}.py" for part in loaded.recipe.components for m in part.modules]
    found = [p for p in unmatched if not any(fnmatchcase(stub, p) for stub in stubs)]
    _check(loaded, plan, found, wheel_rows(loaded.recipe), "file of the compiled wheel")


def _check(
    loaded: Loaded, plan: BuildPlan, unmatched: Collection[str], rows: Iterable[Row], what: str
) -> None:
    dead = [(key, pattern) for key, pattern in rows if pattern in unmatched]
    if dead:
        lines = (
            f"  {loaded.home(key)}: {key}: {pattern!r} matches no {_OTHERS.get(key, what)}"
            for key, pattern in dead
        )
        raise RecipeError(
            f"{plan.recipe} {plan.version}, profile {plan.profile}: patterns that match nothing:\n"
            + "\n".join(lines),
            next_step="correct or delete these patterns",
        )
