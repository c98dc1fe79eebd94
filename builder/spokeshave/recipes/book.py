"""Recipes and profiles: TOML data, validated strictly, with errors that carry the key path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from spokeshave.errors import RecipeError
from spokeshave.inside.levers import LEVERS
from spokeshave.inside.library import symbols_in
from spokeshave.inside.model import local_label
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.patch_files import removal_patch_faults
from spokeshave.recipes.reading import MAIN, home_of, parse, read_recipe
from spokeshave.recipes.rule_book import rule_names
from spokeshave.recipes.schema import Profile, Recipe
from spokeshave.recipes.texts import filled


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A recipe with the texts of the files it names, so that planning reads nothing.

    `homes` maps the keys that do not stand in recipe.toml to their files; `version` is that of the texts, or
    empty while they are as written.
    """

    recipe: Recipe
    folder: Path
    files: Mapping[str, str]
    homes: Mapping[str, Path] = field(default_factory=dict)
    version: str = ""

    def at(self, version: str) -> Loaded:
        """The recipe with its texts as they are for one version, which they name as `{version}`.

        Raises ValueError where they are those of another version already.
        """
        if self.version not in ("", version):
            raise ValueError(f"recipe {self.recipe.name} has the texts of {self.version}, not of {version}")
        if self.version:
            return self
        return replace(self, recipe=filled(self.recipe, version=version), version=version)

    def home(self, key: str) -> Path:
        """The file in which a key stands, given with dots: `components.fft.files`."""
        return home_of(key, self.homes, self.folder / MAIN)


class RecipeBook:
    """The recipes and profiles below one or more folders, the first of which wins."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)

    def names(self) -> list[str]:
        """All packages that have a recipe, sorted."""
        return sorted({p.parent.name for f in self.folders for p in f.glob(f"*/{MAIN}")})

    def profile_names(self) -> list[str]:
        """All profiles, sorted."""
        return sorted({p.stem for f in self.folders for p in f.glob("profiles/*.toml")})

    def load(self, name: str) -> Loaded:
        """Reads and validates one recipe and the files it names.

        Raises RecipeError where it does not exist, is malformed, or names a file that is missing.
        """
        for folder in self.folders:
            path = folder / name / MAIN
            if path.is_file():
                recipe, homes = read_recipe(path.parent)
                if recipe.name != name:
                    raise RecipeError(
                        f"{path}: name is {recipe.name!r}, but its folder is {name!r}",
                        next_step="give both one name",
                    )
                loaded = Loaded(recipe=recipe, folder=path.parent, files={}, homes=homes)
                loaded = replace(loaded, files=_read_files(loaded))
                _check_symbols(loaded)
                _check_removal_patches(loaded)
                return loaded
        raise RecipeError(f"there is no recipe for {name!r}", next_step=did_you_mean(name, self.names()))

    def profile(self, name: str) -> Profile:
        """Reads and validates one profile, with what it extends.

        Raises RecipeError where there is none, or where another one's wheels would have the same names.

        A name that ends in `.toml` is the path of a profile's file.
        """
        found = self._extended(name, ())
        self.refuse_namesake(found.name)
        self._refuse_strangers(found)
        return found

    def _refuse_strangers(self, profile: Profile) -> None:
        """Raises RecipeError where a profile removes a component that no recipe and no rules can have."""
        known = [*self.names(), *rule_names(self.folders)]
        for row in profile.remove:
            recipe = row.component.partition("/")[0]
            if recipe not in known:
                raise RecipeError(
                    f"profile {profile.name}: [[remove]] component = {row.component!r}: there is no recipe"
                    f" {recipe!r}, and there are no rules of that name",
                    next_step=did_you_mean(recipe, known),
                )

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
                profile = parse(path, Profile)
                _refuse_unknown_levers(path, profile)
                if profile.name != path.stem:
                    raise RecipeError(
                        f"{path}: name is {profile.name!r}, its file says {path.stem!r}",
                        next_step="give both one name",
                    )
                return profile
        if named:
            raise RecipeError(f"there is no profile file {name}", next_step="give the path of a profile")
        raise RecipeError(f"there is no profile {name!r}", next_step=did_you_mean(name, self.profile_names()))


def _refuse_unknown_levers(path: Path, profile: Profile) -> None:
    known = [lever.name for lever in LEVERS]
    for name in profile.levers:
        if name not in known:
            raise RecipeError(
                f"{path}: levers.{name}: there is no lever {name!r}", next_step=did_you_mean(name, known)
            )


def _read_files(loaded: Loaded) -> dict[str, str]:
    files: dict[str, str] = {}
    for key, name in _named_files(loaded.recipe):
        try:  # as it is: patches may hold CRs
            files[name] = (loaded.folder / name).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise RecipeError(
                f"{loaded.home(key)} names {name!r}, which cannot be read",
                next_step="put it there as UTF-8 text, or delete its name",
            ) from fault
    return files


def _named_files(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """The files that a recipe names, with the keys under which it does."""
    yield from (("build", name) for name in (recipe.build.requires, recipe.verify.requires) if name)
    yield from (("versions", patch) for version in recipe.versions for patch in version.patches)
    yield from (("components", patch) for component in recipe.components for patch in component.patches)
    yield from (("versions", patch) for version in recipe.versions for patch in version.lp64_patches)
    yield from (("versions", patch) for version in recipe.versions for patch in version.docstring_patches)
    if library := recipe.build.library:
        yield from (("build", name) for name in (*library.exports, *library.unreached))
        yield from (("build", row.exports) for row in library.without)
        yield from (("build", table.exports) for table in (library.ilp64,) if table)


def _check_symbols(loaded: Loaded) -> None:
    """Raises RecipeError where symbols that are removed with a component are exported by no file."""
    library = loaded.recipe.build.library
    if library is None:
        return
    exported = {name for file in library.exports for name in symbols_in(loaded.files[file])}
    for row in library.without:
        if strange := sorted(symbols_in(loaded.files[row.exports]) - exported):
            raise RecipeError(
                f"{loaded.home('build.library')}: build.library.without, {row.component}: {row.exports} names"
                f" {', '.join(strange[:3])}, which no file of `exports` does",
                next_step="delete these lines, or add the symbols to a file of `exports`",
            )


def _check_removal_patches(loaded: Loaded) -> None:
    """Raises RecipeError where a patch that a removal needs changes other files than Python's."""
    faults = [f"  {key}: {text}" for key, text in removal_patch_faults(loaded.recipe, loaded.files)]
    if faults:
        raise RecipeError(
            f"{loaded.home('components')}: patches of components change the compiled wheel, and only its .py"
            " files:\n" + "\n".join(faults),
            next_step="patch these files under `versions`, so that a smaller module is compiled next to the"
            " whole one, and name its folder under `variants` of the component",
        )
