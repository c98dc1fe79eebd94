"""What a profile and a target select of a recipe: version, source, components, patches, libraries."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet

from spokeshave.errors import RecipeError
from spokeshave.inside.model import Target
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.schema import ComponentTable, Profile, Recipe, RemoveTable, VersionTable

Chosen = tuple[tuple[ComponentTable, RemoveTable], ...]
"""The components of a recipe that a profile removes, each with the profile's row."""


def chosen_components(loaded: Loaded, profile: Profile) -> Chosen:
    """The recipe's components that the profile removes, with the profile's row.

    Raises RecipeError where the profile names one that the recipe does not have.
    """
    known = {part.name: part for part in loaded.recipe.components}
    chosen = []
    for row in profile.remove:
        recipe, _, name = row.component.partition("/")
        if recipe != loaded.recipe.name:
            continue
        if name not in known:
            raise RecipeError(
                f"profile {profile.name}: recipe {recipe} has no component {name!r}",
                next_step=did_you_mean(name, known),
            )
        chosen.append((known[name], row))
    return tuple(chosen)


def patch_names(version: VersionTable, *, lp64: bool = False, docstrings: bool = True) -> tuple[str, ...]:
    """The version's patches, those for a BLAS with 32-bit integers, and for code without docstrings."""
    narrow = version.lp64_patches if lp64 else ()
    return (*version.patches, *narrow, *(() if docstrings else version.docstring_patches))


def removal_patch_names(chosen: Chosen) -> tuple[str, ...]:
    """The patches that the removed components need, each once. They change Python files alone."""
    return tuple(dict.fromkeys(patch for part, _ in chosen for patch in part.patches))


def library_names(recipe: Recipe, profile: Profile) -> list[str]:
    """The library recipes that a recipe links under a profile, which picks the BLAS."""
    return [profile.blas.recipe if name == "blas" else name for name in recipe.build.libraries]


def pick_version(recipe: Recipe, python_version: str, wanted: str | None = None) -> VersionTable:
    """The newest version that the target's Python admits, or the wanted one.

    Raises RecipeError where there is none.
    """
    for row in recipe.versions:
        if wanted not in (None, row.version):
            continue
        if SpecifierSet(row.requires_python).contains(python_version):
            return row
    known = ", ".join(f"{v.version} (Python {v.requires_python})" for v in recipe.versions)
    raise RecipeError(
        f"recipe {recipe.name!r} has no version {wanted or ''} for Python {python_version}",
        next_step=f"it has: {known}",
    )


def source_pin(row: VersionTable, target: Target) -> dict[str, str]:
    """The source of a version for a target (`pypi`, `version`, `sha256`): its sdist or its wheel.

    Raises RecipeError where upstream's wheel is not pinned for the target's platform.
    """
    source = row.source
    sha256 = source.sha256 or source.wheels.get(target.platform)
    if sha256 is None:
        raise RecipeError(
            f"version {row.version} of {source.pypi} pins no wheel for {target.platform}",
            next_step=f"it has: {', '.join(source.wheels)}; add the sha256 under versions.source.wheels",
        )
    return {"pypi": source.pypi, "version": source.version or row.version, "sha256": sha256}
