"""Recipe x Profile x Target -> BuildPlan. Pure: reads no file, starts nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from spokeshave.build import shared
from spokeshave.errors import RecipeError
from spokeshave.inside.levers import LEVERS, compiled_docstrings, link_time
from spokeshave.inside.model import (
    BuildPlan,
    Bundled,
    CompilePlan,
    Environment,
    Level,
    LeverSetting,
    Removed,
    Target,
    bare_text,
)
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.book import Loaded
from spokeshave.recipes.schema import ComponentTable, Profile, Recipe, VersionTable
from spokeshave.recipes.select import (
    chosen_components,
    patch_names,
    pick_version,
    removal_patch_names,
    source_pin,
)


def make_plan(
    loaded: Loaded,
    profile: Profile,
    target: Target,
    environment: Environment,
    *,
    tool: Mapping[str, str],
    libraries: tuple[BuildPlan, ...] = (),
    without: frozenset[str] = frozenset(),
) -> BuildPlan:
    """Resolves a recipe: picks the version, sums up the levers' flags, pins the libraries.

    `libraries` are the plans of `recipe.build.libraries`, in that order; `without` names levers that are
    left off although the profile has them on. Raises RecipeError for an unknown lever or no version.
    """
    version = pick_version(loaded.recipe, target.python_version)
    loaded = loaded.at(version.version)
    recipe = loaded.recipe
    libraries = tuple(sorted(libraries, key=lambda library: library.distribution))
    _check_blas(recipe, profile, libraries)
    levers = _levers(loaded, profile, without)
    chosen = chosen_components(loaded, profile)
    patches = _patches(version, recipe, levers, libraries)
    return BuildPlan(
        recipe=recipe.name,
        kind=recipe.kind,
        distribution=recipe.distribution,
        import_name=recipe.import_name,
        profile=profile.name,
        version=version.version,
        build=profile.build,
        target=target,
        environment=environment,
        tool=dict(tool),
        source=source_pin(version, target),
        patches=_patch_digests(loaded, patches),
        compile=_compile(loaded, profile, target, patches=patches, levers=levers, libraries=libraries),
        levers=levers,
        removed=tuple(_removed(part, row.reason) for part, row in chosen),
        removal_patches={name: loaded.files[name] for name in removal_patch_names(chosen)},
        variants=tuple(sorted({folder for part in recipe.components for folder in part.variants})),
        unlinked=shared.unlinked(loaded, profile),
        libraries={library.distribution: library.local_version for library in libraries},
        sonames=tuple(s for library in libraries for s in _soname(library)),
        grafts=recipe.build.grafts,
        offers=shared.offers(recipe, profile),
        bundled=tuple(Bundled(**row.model_dump()) for row in recipe.bundled),
        budget=profile.budgets.get(recipe.distribution),
    )


def _patches(
    version: VersionTable, recipe: Recipe, levers: Iterable[LeverSetting], libraries: tuple[BuildPlan, ...]
) -> tuple[str, ...]:
    bare = any(setting.name == compiled_docstrings.LEVER.name for setting in levers)
    return patch_names(version, lp64=not shared.is_wide(recipe, libraries), docstrings=not bare)


def _check_blas(recipe: Recipe, profile: Profile, libraries: tuple[BuildPlan, ...]) -> None:
    offered = [library.offers.get("provides") for library in libraries]
    if "blas" in recipe.build.libraries and "blas" not in offered:
        raise RecipeError(
            f"profile {profile.name}: recipe {profile.blas.recipe!r} does not provide a BLAS",
            next_step='under [blas], name a library recipe that has provides = "blas"',
        )


def _patch_digests(loaded: Loaded, patches: Iterable[str]) -> dict[str, str]:
    """Patch to the sha256 (hex) of its text without the header."""
    return {
        name: hashlib.sha256(bare_text(name, loaded.files[name]).encode()).hexdigest() for name in patches
    }


def _removed(part: ComponentTable, reason: str) -> Removed:
    return Removed(
        component=part.name,
        reason=reason,
        modules=part.modules,
        late=part.late,
        files=part.files,
        variants=part.variants,
    )


def _soname(library: BuildPlan) -> tuple[str, ...]:
    table = library.compile.settings.get("library")
    return (table["soname"],) if table else ()


def _levers(loaded: Loaded, profile: Profile, without: frozenset[str]) -> tuple[LeverSetting, ...]:
    known = [lever.name for lever in LEVERS]
    for name in without:
        if name not in known:
            raise RecipeError(f"--without: there is no lever {name!r}", next_step=did_you_mean(name, known))
    compiled = loaded.recipe.build.backend != "prebuilt"  # where nothing is, only the wheel is left to shave
    off = {name for name, options in loaded.recipe.levers.items() if "off" in options} | without
    return tuple(
        LeverSetting(name=lever.name, options=loaded.recipe.levers.get(lever.name, {}))
        for lever in LEVERS
        if profile.levers.get(lever.name) and lever.name not in off and (compiled or lever.shave)
    )


def _compile(
    loaded: Loaded,
    profile: Profile,
    target: Target,
    *,
    patches: tuple[str, ...],
    levers: tuple[LeverSetting, ...],
    libraries: tuple[BuildPlan, ...],
) -> CompilePlan:
    build, version, arch = loaded.recipe.build, loaded.version, target.arch
    fixes = (row for row in build.fixes if row.holds(version, arch))
    optimised = any(setting.name == "optimisation" for setting in levers)
    level = build.level if optimised else build.upstream_level
    base = (f"-march={build.baseline[arch]}",) if arch in build.baseline else ()
    general = (f"-{level}", *base) if build.backend != "prebuilt" else ()
    requires = (build.requires,) if build.requires else ()
    files = {name: loaded.files[name] for name in (*requires, *patches)}
    return CompilePlan(
        backend=build.backend,
        directory=build.directory,
        settings=_settings(loaded, profile, libraries),
        flags=_flags(levers, general, cython=build.backend == "meson-python"),
        levels=tuple(
            Level(match=row.match, level=row.level, reason=row.reason)
            for row in build.levels
            if optimised and row.holds(version, arch)
        ),
        fixes=(
            *(Level(match=row.match, level=row.flags.lstrip("-"), reason=row.reason) for row in fixes),
            *_apart(levers),
        ),
        requirements=loaded.files[build.requires] if build.requires else "",
        files=files | shared.listings(loaded, profile),
        libraries={library.distribution: library.compile_key for library in libraries},
    )


def _apart(levers: tuple[LeverSetting, ...]) -> tuple[Level, ...]:
    """The sources that are compiled without link-time optimization."""
    globs = next((setting.options.get("apart", ()) for setting in levers if setting.name == "link-time"), ())
    return tuple(
        Level(match=glob, level=link_time.APART, reason="faster compiled on its own") for glob in globs
    )


def _settings(loaded: Loaded, profile: Profile, libraries: tuple[BuildPlan, ...]) -> dict[str, Any]:
    build = loaded.recipe.build
    if build.backend == "meson-python":
        arguments = {key: _meson(value) for key, value in build.setup_args.items()}
        for linked in libraries:
            arguments |= shared.setup_args(loaded.recipe, linked)
        return {"setup-args": arguments, **shared.integers(loaded.recipe, libraries)}
    about = {"summary": loaded.recipe.summary, "license": loaded.recipe.license}
    if build.prebuilt:
        return {"library": shared.prebuilt_settings(build.prebuilt), **about}
    variables = dict(build.variables)
    library = build.library
    if library and library.kernels_variable:
        variables[library.kernels_variable] = " ".join(profile.blas.kernels)
    return {
        "targets": list(build.targets),
        "variables": variables,
        "flags-variable": build.flags_variable,
        "library": shared.library_settings(library, profile) if library else None,
        **about,
    }


def _meson(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _flags(
    levers: tuple[LeverSetting, ...], level: tuple[str, ...], *, cython: bool
) -> dict[str, tuple[str, ...]]:
    """The flags of all levers that are on, behind the optimisation level."""
    settings = {setting.name: setting.options for setting in levers}
    added = [lever.flags(settings[lever.name]) for lever in LEVERS if lever.name in settings and lever.flags]
    return {
        "c": (*level, *(flag for one in added for flag in one.c)),
        "cxx": (*level, *(flag for one in added for flag in one.cxx)),
        "fortran": (*level, *(flag for one in added for flag in one.fortran)),
        "link": tuple(flag for one in added for flag in one.link),
        "cython": tuple(flag for one in added for flag in one.cython) if cython else (),
    }
