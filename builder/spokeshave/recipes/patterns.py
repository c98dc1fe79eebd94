"""The patterns of a recipe: in which rows they stand, and with what they are matched."""

from __future__ import annotations

from collections.abc import Iterator

from spokeshave.inside.levers import LEVERS
from spokeshave.inside.unmatched import WHEEL_GLOBS
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.schema import Recipe
from spokeshave.recipes.texts import Fault

Row = tuple[str, str]  # key path with dots, pattern
_OFF = "off"  # with a reason: the lever is off for this package


def source_rows(recipe: Recipe) -> Iterator[Row]:
    """The patterns that are matched with the paths of compiled sources."""
    yield from (("build.levels", row.match) for row in recipe.build.levels)
    yield from (("build.fixes", row.match) for row in recipe.build.fixes)
    yield from (("levers.link-time.apart", p) for p in recipe.levers.get("link-time", {}).get("apart", ()))
    yield from (("training.untrained", p) for p in (recipe.training.untrained if recipe.training else ()))


def wheel_rows(recipe: Recipe) -> Iterator[Row]:
    """The patterns that are matched with the files of the compiled wheel, or that it is repaired with."""
    for lever, options in recipe.levers.items():
        yield from ((f"levers.{lever}.{key}", p) for key in WHEEL_GLOBS for p in options.get(key, ()))
    for part in recipe.components:
        yield from ((f"components.{part.name}.files", pattern) for pattern in part.files)
    yield from (("build.grafts", pattern) for pattern in recipe.build.grafts)


def option_faults(recipe: Recipe) -> Iterator[Fault]:
    """Unknown levers, and options that their lever does not read."""
    known = {lever.name: (*lever.options, _OFF) for lever in LEVERS}
    for name, options in recipe.levers.items():
        if name not in known:
            yield f"levers.{name}", f"there is no lever {name!r}; {did_you_mean(name, known)}"
        for key in options:
            if key not in known.get(name, options):
                its = ", ".join(known[name])
                yield f"levers.{name}.{key}", f"lever {name!r} has no option {key!r}; its options are: {its}"
