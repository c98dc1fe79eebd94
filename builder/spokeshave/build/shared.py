"""What a plan says about a shared library: to its own build, and to the packages that link it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spokeshave.inside.library import symbols_in
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.sbom import INTEGERS
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.build_schema import LibraryTable, PrebuiltTable, WideTable, Width
from spokeshave.recipes.schema import Profile, Recipe

_WIDE_SETUP = "ilp64_setup_args"
_OFFERS = {"provides", "setup_args", "kernel_symbol"}  # for who links the library; they change nothing in it


def offers(recipe: Recipe, profile: Profile) -> dict[str, Any]:
    """What a library recipe offers to packages that link it; nothing, if it is a package."""
    if not recipe.build.shared:
        return {}
    offered = recipe.build.shared.model_dump(include=_OFFERS)
    wide = _second_width(recipe.build.library, profile)
    return {**offered, _WIDE_SETUP: wide.setup_args} if wide else offered


def is_wide(recipe: Recipe, libraries: tuple[BuildPlan, ...]) -> bool:
    """Whether the recipe asks for a BLAS with 64-bit integers, and links one."""
    wanted = recipe.build.blas_integers == "ilp64"
    return wanted and any(_WIDE_SETUP in library.offers for library in libraries)


def integers(recipe: Recipe, libraries: tuple[BuildPlan, ...]) -> dict[str, str]:
    """The setting of a package that has the width of its BLAS's integers; empty where it links no BLAS."""
    if not any(library.offers.get("provides") == "blas" for library in libraries):
        return {}
    return {INTEGERS: "ilp64" if is_wide(recipe, libraries) else "lp64"}


def width(plan: BuildPlan) -> Width:
    """The width of the integers with which a planned package calls the BLAS."""
    return "ilp64" if plan.compile.settings.get(INTEGERS) == "ilp64" else "lp64"


def symbols_of(library: BuildPlan, name: str) -> dict[Width, str]:
    """The symbols of a routine in a library that is made from source, by the width of its integers."""
    wide = (library.compile.settings.get("library") or {}).get("ilp64")
    return {"lp64": name, **({"ilp64": wide["symbol"].replace("{}", name)} if wide else {})}


def setup_args(recipe: Recipe, library: BuildPlan) -> Mapping[str, str]:
    """The meson options with which a recipe links a library."""
    found: Mapping[str, str] = library.offers.get(
        _WIDE_SETUP if is_wide(recipe, (library,)) else "setup_args", {}
    )
    return found


def listings(loaded: Loaded, profile: Profile) -> dict[str, str]:
    """The files that list a library's symbols and objects."""
    library = loaded.recipe.build.library
    if library is None:
        return {}
    wide = _second_width(library, profile)
    names = (*library.exports, *library.unreached, *((wide.exports,) if wide else ()))
    return {file: loaded.files[file] for file in names}


def unlinked(loaded: Loaded, profile: Profile) -> tuple[str, ...]:
    """The symbols of a library that only components call which the profile removes, sorted."""
    library = loaded.recipe.build.library
    removed = {row.component for row in profile.remove}
    rows = library.without if library else ()
    files = (loaded.files[row.exports] for row in rows if row.component in removed)
    return tuple(sorted({name for text in files for name in symbols_in(text)}))


def library_settings(library: LibraryTable, profile: Profile) -> dict[str, Any]:
    """What the build of a library reads of its table."""
    settings = library.model_dump(mode="json", exclude=_OFFERS | {"without", "ilp64"})
    wide = _second_width(library, profile)
    return {**settings, "ilp64": wide.model_dump(mode="json", exclude={"setup_args"}) if wide else None}


def prebuilt_settings(prebuilt: PrebuiltTable) -> dict[str, Any]:
    """What the assembly of upstream's library reads of its table."""
    return prebuilt.model_dump(mode="json", exclude=_OFFERS)


def _second_width(library: LibraryTable | None, profile: Profile) -> WideTable | None:
    return library.ilp64 if library and "ilp64" in profile.blas.interfaces else None
