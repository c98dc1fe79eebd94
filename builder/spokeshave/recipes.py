"""Recipes and profiles: TOML data, validated strictly, with errors that carry the key path."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from packaging.specifiers import SpecifierSet
from pydantic import BaseModel, ValidationError

from spokeshave.errors import RecipeError
from spokeshave.model import Target, local_label
from spokeshave.nearest import did_you_mean
from spokeshave.tables import Profile, Recipe, VersionTable


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A recipe with the texts of the files it names, so that planning reads nothing."""

    recipe: Recipe
    folder: Path
    files: Mapping[str, str]


Model = TypeVar("Model", Recipe, Profile)


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
        raise RecipeError(f"{path}: not valid TOML: {fault}", next_step="mend that place") from fault
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
                    raise RecipeError(
                        f"{path}: name is {recipe.name!r}, but its folder is {name!r}",
                        next_step="give both one name",
                    )
                return Loaded(recipe=recipe, folder=path.parent, files=_read_files(recipe, path.parent))
        raise RecipeError(f"there is no recipe for {name!r}", next_step=did_you_mean(name, self.names()))

    def profile(self, name: str) -> Profile:
        """Reads and validates one profile, with what it extends.

        Raises RecipeError where there is none, or where another one's wheels would have the same names.

        A name that ends in `.toml` is the path of a profile's file.
        """
        found = self._extended(name, ())
        self.refuse_namesake(found.name)
        return found

    def refuse_namesake(self, name: str) -> None:
        """Raises RecipeError where another profile's label is the one that a name gives."""
        for other in self.profile_names():
            if other != name and local_label(other) == local_label(name):
                raise RecipeError(
                    f"profiles {name!r} and {other!r} have one label, +{local_label(other)}:"
                    " their wheels would have the same names",
                    next_step="give one of them another name",
                )

    def _extended(self, name: str, before: tuple[str, ...]) -> Profile:
        own = self._own_profile(name)
        if own.extends is None:
            return own
        if own.extends in (own.name, *before):
            raise RecipeError(
                f"profile {name!r} extends itself through {own.extends!r}",
                next_step="let one of them extend another profile, or none",
            )
        base = self._extended(own.extends, (own.name, *before))
        return own.model_copy(
            update={
                "trace": own.trace or base.trace,
                "levers": {**base.levers, **own.levers},
                "remove": (*base.remove, *own.remove),
                "allow": (*base.allow, *own.allow),
                "blas": own.blas if "blas" in own.model_fields_set else base.blas,
                "budgets": {**base.budgets, **own.budgets},
            }
        )

    def _own_profile(self, name: str) -> Profile:
        named = name.endswith(".toml")
        for path in [Path(name)] if named else [f / "profiles" / f"{name}.toml" for f in self.folders]:
            if path.is_file():
                profile = _parse(path, Profile)
                if profile.name != path.stem:
                    raise RecipeError(
                        f"{path}: name is {profile.name!r}, its file says {path.stem!r}",
                        next_step="give both one name",
                    )
                return profile
        if named:
            raise RecipeError(f"there is no profile file {name}", next_step="give the path of a profile")
        raise RecipeError(f"there is no profile {name!r}", next_step=did_you_mean(name, self.profile_names()))


def _read_files(recipe: Recipe, folder: Path) -> dict[str, str]:
    names = [name for name in (recipe.build.requires, recipe.verify.requires) if name]
    names += [patch for version in recipe.versions for patch in version.patches]
    names += [patch for component in recipe.components for patch in component.patches]
    if recipe.build.library:
        names += recipe.build.library.exports
        names += [row.exports for row in recipe.build.library.without]
    files = {}
    for name in names:
        try:
            files[name] = (folder / name).read_bytes().decode("utf-8")  # as it is: patches may hold CRs
        except (OSError, UnicodeDecodeError) as fault:
            raise RecipeError(
                f"{folder / 'recipe.toml'} names {name!r}, which cannot be read",
                next_step="put it there as UTF-8 text, or take its name out",
            ) from fault
    return files


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
