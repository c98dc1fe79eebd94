"""What a recipe says about a PyPI wheel: the plan that the wheel would have, had it been built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from spokeshave.build.plan import make_plan
from spokeshave.errors import RecipeError
from spokeshave.inside.levers import LEVERS, docstrings
from spokeshave.inside.model import BuildPlan, Environment, Target, digest_of
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.book import Loaded, RecipeBook
from spokeshave.recipes.schema import ComponentTable, Profile
from spokeshave.recipes.select import library_names
from spokeshave.slim.model import Settings, Stock

LABEL = "slim"
_NOWHERE = Environment(engine="host", image="", image_digest="")  # nothing is compiled
_NO_TOOL = {"compile": "", "finish": ""}
_BY_NAME = "it was named with --remove"
_NO_DOCSTRINGS = "no docstrings are left to assemble"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Which recipes act: `off` for none. `profile` and `remove` (`recipe/name`) name components to remove."""

    off: bool = False
    profile: str = ""
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipeUse:
    """A recipe for a PyPI wheel; `listed` says whether it has a row for this version.

    `libraries` are the plans of the libraries that a build would link.
    """

    loaded: Loaded
    plan: BuildPlan
    listed: bool
    libraries: tuple[BuildPlan, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 (hex) of what the recipe says about the wheel."""
        recipe = self.loaded.recipe.model_dump(mode="json", include={"levers", "components"})
        return digest_of([self.plan.recipe_digest, self.listed, recipe])

    @property
    def versions(self) -> str:
        """The versions that the recipe lists."""
        return ", ".join(row.version for row in self.loaded.recipe.versions)

    def part(self, name: str) -> ComponentTable:
        """The recipe's component of that name; raises KeyError where there is none."""
        return {part.name: part for part in self.loaded.recipe.components}[name]


def find_use(book: RecipeBook, stock: Stock, settings: Settings, wish: Wish) -> RecipeUse | None:
    """The recipe of a wheel's project, resolved for the wheel; None where no recipe is for its Python.

    A version without a row has the newest row. Raises RecipeError for a component that does not exist.
    """
    name = canonicalize_name(stock.project)
    tag = re.fullmatch(r"cp3\d+", stock.name.python)
    if wish.off or not tag or name not in book.names():
        return None
    loaded, target = book.load(name), Target(python=tag[0])
    recipe = loaded.recipe
    admitted = (SpecifierSet(row.requires_python).contains(target.python_version) for row in recipe.versions)
    if recipe.kind != "python" or canonicalize_name(recipe.distribution) != name or not any(admitted):
        return None
    profile = _for_wheel(removing(book, wish), loaded, settings)
    libraries = tuple(
        make_plan(book.load(one), profile, target, _NOWHERE, tool=_NO_TOOL)
        for one in library_names(recipe, profile)
    )
    plan = make_plan(loaded, profile, target, _NOWHERE, tool=_NO_TOOL, libraries=libraries)
    version = str(stock.version)
    return RecipeUse(
        loaded=loaded,
        plan=replace(plan, version=version, build=settings.build),
        listed=version in [row.version for row in recipe.versions],
        libraries=libraries,
    )


def removing(book: RecipeBook, wish: Wish) -> Profile:
    """The profile of a wish: what its profile removes and allows, and the components that it names.

    Raises RecipeError for a profile, a recipe or a component that does not exist.
    """
    base = book.profile(wish.profile) if wish.profile else None
    for name in wish.remove:
        recipe, _, part = name.partition("/")
        if recipe not in book.names():
            raise RecipeError(
                f"--remove {name}: there is no recipe {recipe!r}",
                next_step=did_you_mean(recipe, book.names()),
            )
        known = [one.name for one in book.load(recipe).recipe.components]
        if part not in known:
            raise RecipeError(
                f"--remove {name}: recipe {recipe} has no component {part!r}",
                next_step=did_you_mean(part, known),
            )
    rows = [{"component": name, "reason": _BY_NAME} for name in wish.remove]
    return _profile(
        rows=[*([row.model_dump() for row in base.remove] if base else []), *rows],
        allow=[row.model_dump() for row in base.allow] if base else [],
    )


def _profile(*, rows: list[dict[str, str]], allow: list[dict[str, str]]) -> Profile:
    once = {row["component"]: row for row in reversed(rows)}  # the first reason holds
    data = {
        "schema": 1,
        "name": "wheel",
        "summary": "PyPI wheels without a compile",
        "remove": tuple(reversed(once.values())),
        "allow": tuple(allow),
    }
    # No profile may be called `slim`, since its wheels would have the label of these ones.
    return Profile.model_validate(data).model_copy(update={"name": LABEL})


def _for_wheel(profile: Profile, loaded: Loaded, settings: Settings) -> Profile:
    """The profile with the levers of the settings, and with what these call for in one recipe."""
    known = {lever.name for lever in LEVERS}
    named = {row.component for row in profile.remove}
    implied = [name for name in _implied(loaded, settings) if name not in named]
    rows = [{"component": name, "reason": _NO_DOCSTRINGS} for name in implied]
    more = _profile(rows=rows, allow=[]).remove
    levers = {name: True for name in settings.levers if name in known}
    return profile.model_copy(update={"levers": levers, "remove": (*profile.remove, *more)})


def _implied(loaded: Loaded, settings: Settings) -> Iterator[str]:
    """The components that remove no file: their patches are for wheels without docstrings."""
    if docstrings.LEVER.name not in settings.levers:
        return
    for part in loaded.recipe.components:
        if part.patches and not (part.modules or part.files or part.variants):
            yield f"{loaded.recipe.name}/{part.name}"
