"""Recipes and profiles: TOML data, validated strictly, with errors that carry the key path."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from packaging.specifiers import SpecifierSet
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from spokeshave.errors import RecipeError

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Glob = Annotated[str, Field(min_length=1)]


def _specifier(text: str) -> str:
    SpecifierSet(text)
    return text


Specifier = Annotated[str, AfterValidator(_specifier)]


class Strict(BaseModel):
    """Base of all recipe tables: unknown keys are errors, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceTable(Strict):
    """Where the source comes from: an sdist named by package and pinned by hash."""

    pypi: str = Field(description="name of the package whose sdist is the source")
    sha256: Sha256 = Field(description="sha256 of the sdist")
    version: str | None = Field(None, description="version of the sdist where it is another one")


class VersionTable(Strict):
    """One version of the package that can be built."""

    version: str = Field(description="upstream's version")
    requires_python: Specifier = Field(
        ">=3.11", alias="requires-python", description="Pythons that this version is for"
    )
    source: SourceTable
    patches: tuple[str, ...] = Field((), description="patch files, applied in this order")
    stock: dict[str, Sha256] = Field(
        default_factory=dict,
        description="sha256 of the stock wheel to compare with, by target (`cp311-manylinux_x86_64`)",
    )


class LevelTable(Strict):
    """An optimisation level for a part of the sources; the first row that matches counts."""

    match: Glob = Field(description="shell pattern for the absolute path of a source file")
    level: str = Field(
        pattern=r"^O[123s]( -[fm][a-z0-9=-]+)*$", description="level, and flags that refine it"
    )
    reason: str = Field(min_length=8, description="why this part differs, with the benchmark if any")


class LibraryTable(Strict):
    """How a make-built static archive becomes the shared library of a wheel."""

    archive: Glob = Field(description="glob of the static archive, below the build directory")
    soname: str = Field(description="file name and soname of the shared library")
    exports: tuple[str, ...] = Field(description="files that list the exported symbols, a name a line")
    link: tuple[str, ...] = Field((), description="libraries to link (`m`, `pthread`)")
    pkg_config: str = Field(alias="pkg-config", description="name of the pkg-config file")
    kernels_variable: str | None = Field(
        None, alias="kernels-variable", description="make variable that lists the profile's kernels"
    )


class BuildTable(Strict):
    """How the source is compiled."""

    backend: Literal["meson-python", "make"]
    directory: str = Field(".", description="folder of the build, below the unpacked source")
    requires: str = Field(description="file with the hash-locked build requirements")
    libraries: tuple[str, ...] = Field((), description="library recipes to link")
    setup_args: dict[str, str | bool] = Field(
        default_factory=dict, alias="setup-args", description="meson options"
    )
    targets: tuple[str, ...] = Field((), description="make targets")
    variables: dict[str, str] = Field(default_factory=dict, description="make variables")
    flags_variable: str | None = Field(
        None, alias="flags-variable", description="make variable that takes the compiler flags"
    )
    upstream_level: Literal["O2", "O3"] = Field(
        "O3", alias="upstream-level", description="level of all sources where the lever is off"
    )
    level: Literal["O2", "O3", "Os"] = Field(
        "O2", description="level of the sources that no row of `levels` matches"
    )
    levels: tuple[LevelTable, ...] = ()
    library: LibraryTable | None = None


class BundledTable(Strict):
    """Somebody else's code that ends up inside the wheel."""

    name: str
    version: str
    license: str = Field(description="SPDX expression")
    license_file: str = Field(alias="license-file", description="licence text, in the source tree")
    source: str = Field(description="where the code comes from")


class SkipTable(Strict):
    """An upstream test that is not run, and why."""

    test: str = Field(description="start of a node id")
    reason: str = Field(min_length=8)
    lever: str | None = Field(None, description="skip only where this lever is on")


class VerifyTable(Strict):
    """What proves that a wheel works."""

    requires: str = Field(description="file with the hash-locked test requirements")
    present: tuple[Glob, ...] = Field((), description="globs that must match a file of the wheel")
    absent: tuple[Glob, ...] = Field((), description="globs that must match none")
    marker: str = Field("", description="pytest -m expression")
    smoke: tuple[str, ...] = Field((), description="test files or folders that take seconds")
    core: tuple[str, ...] = Field((), description="test files or folders that take minutes")
    full: tuple[str, ...] = Field((), description="everything")
    compiler: tuple[str, ...] = Field(
        (), description="tests that need a compiler; level full runs them in the variant with one"
    )
    skip: tuple[SkipTable, ...] = ()
    cores: tuple[str, ...] = Field((), description="kernels that the BLAS must report, by core name")


class Recipe(Strict):
    """A package as written: `recipes/<name>/recipe.toml`."""

    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    name: str
    kind: Literal["library", "python"] = "python"
    distribution: str = Field(description="name of the wheel's distribution")
    import_name: str = Field(alias="import-name", description="package to import")
    summary: str
    license: str = Field(description="SPDX expression of the package's own code")
    versions: tuple[VersionTable, ...] = Field(min_length=1)
    build: BuildTable
    bundled: tuple[BundledTable, ...] = ()
    levers: dict[str, dict[str, tuple[str, ...]]] = Field(
        default_factory=dict, description="data for the levers: globs to match, to keep, …"
    )
    verify: VerifyTable


class BlasTable(Strict):
    """Which BLAS the stack shares, and which kernels it carries."""

    backend: str = Field("openblas", description="library recipe")
    kernels: tuple[str, ...] = Field(("HASWELL", "SKYLAKEX"), description="kernels beside the base")


class Profile(Strict):
    """Which levers are on: `recipes/profiles/<name>.toml`."""

    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    name: str = Field(pattern=r"^[a-z][a-z0-9]*$", description="also the wheels' local label")
    build: int = Field(1, ge=1, description="build number in the local label")
    summary: str
    blas: BlasTable = Field(default_factory=lambda: BlasTable.model_validate({}))
    levers: dict[str, bool] = Field(description="lever name to on or off; one not named is off")
    budgets: dict[str, int] = Field(
        default_factory=dict, description="bytes unpacked that a distribution may have at most"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A recipe with the texts of the files it names, so that planning reads nothing."""

    recipe: Recipe
    folder: Path
    files: Mapping[str, str]


Model = TypeVar("Model", Recipe, Profile)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for the next step: the closest known word, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"


def _explain(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{path}: {error['msg']}"
    keys = _keys_at(model, error["loc"][:-1])
    return f"{path}: unknown key; {did_you_mean(str(error['loc'][-1]), keys)}"


def _keys_at(model: type[BaseModel], path: Iterable[Any]) -> list[str]:
    """The keys that a table at `path` may have, found by walking the model's annotations."""
    current: Any = model
    for part in path:
        if isinstance(part, int):
            continue
        fields = {f.alias or name: f for name, f in current.model_fields.items()}
        if part not in fields:
            return []
        found = _model_in(fields[part].annotation)
        if found is None:
            return []
        current = found
    return [f.alias or name for name, f in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if found := _model_in(inner):
            return found
    return None


def _parse(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise RecipeError(f"{path}: not valid TOML: {fault}") from fault
    except ValidationError as fault:
        lines = "\n".join(f"  {_explain(dict(e), model)}" for e in fault.errors())
        raise RecipeError(
            f"{path} is not a valid {model.__name__.lower()}:\n{lines}",
            next_step="see recipes/README.md for the format",
        ) from fault


class RecipeBook:
    """The recipes and profiles below one or more folders, the first of which wins."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)

    def names(self) -> list[str]:
        """All packages that have a recipe, sorted."""
        return sorted({p.parent.name for f in self.folders for p in f.glob("*/recipe.toml")})

    def profile_names(self) -> list[str]:
        """All profiles, sorted."""
        return sorted({p.stem for f in self.folders for p in f.glob("profiles/*.toml")})

    def load(self, name: str) -> Loaded:
        """Reads and validates one recipe and the files it names.

        Raises RecipeError where it does not exist, is malformed, or names a file that is missing.
        """
        for folder in self.folders:
            path = folder / name / "recipe.toml"
            if path.is_file():
                recipe = _parse(path, Recipe)
                if recipe.name != name:
                    raise RecipeError(f"{path}: name is {recipe.name!r}, but its folder is {name!r}")
                return Loaded(recipe=recipe, folder=path.parent, files=_read_files(recipe, path.parent))
        raise RecipeError(f"there is no recipe for {name!r}", next_step=did_you_mean(name, self.names()))

    def profile(self, name: str) -> Profile:
        """Reads and validates one profile; raises RecipeError where there is none."""
        for folder in self.folders:
            path = folder / "profiles" / f"{name}.toml"
            if path.is_file():
                profile = _parse(path, Profile)
                if profile.name != name:
                    raise RecipeError(f"{path}: name is {profile.name!r}, its file says {name!r}")
                return profile
        raise RecipeError(f"there is no profile {name!r}", next_step=did_you_mean(name, self.profile_names()))


def _read_files(recipe: Recipe, folder: Path) -> dict[str, str]:
    names = [recipe.build.requires, recipe.verify.requires]
    names += [patch for version in recipe.versions for patch in version.patches]
    if recipe.build.library:
        names += recipe.build.library.exports
    files = {}
    for name in names:
        try:
            files[name] = (folder / name).read_bytes().decode("utf-8")  # as it is: patches may hold CRs
        except (OSError, UnicodeDecodeError) as fault:
            raise RecipeError(f"{folder / 'recipe.toml'} names {name!r}, which cannot be read") from fault
    return files


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
