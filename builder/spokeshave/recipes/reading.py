"""Reads the files of a recipe: `recipe.toml`, and next to it the files of the long tables."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from spokeshave.errors import RecipeError
from spokeshave.nearest import did_you_mean
from spokeshave.recipes.build_schema import Strict
from spokeshave.recipes.file_schema import BundledFile, ComponentsFile, LevelsFile, RecipeFile
from spokeshave.recipes.groups import group_faults, inherited
from spokeshave.recipes.patterns import option_faults
from spokeshave.recipes.schema import Recipe
from spokeshave.recipes.texts import Fault, text_faults

MAIN = "recipe.toml"
TIMES = "times.toml"  # how long its steps took, for people in a hurry: in no key
PARTS: Mapping[str, type[Strict]] = {
    "levels.toml": LevelsFile,
    "components.toml": ComponentsFile,
    "bundled.toml": BundledFile,
}
_FORMAT = "`spokeshave schema reference` lists all keys"
Model = TypeVar("Model", bound=Strict)


def read_recipe(folder: Path) -> tuple[Recipe, dict[str, Path]]:
    """A recipe, and the keys (`components`, `build.levels`) that stand in other files than recipe.toml.

    Raises RecipeError with all faults of all its files.
    """
    own, parts = _parse_all(folder)
    homes = {key: folder / name for name, part in parts.items() for key in _keys(part)}
    _refuse_doubles(own, folder / MAIN, homes)
    for part in parts.values():
        own = _merged(own, part)
    faults = [*text_faults(own), *group_faults(own), *option_faults(own)]
    if faults:
        raise _malformed(folder / MAIN, faults, homes)
    return inherited(own), homes


def _parse_all(folder: Path) -> tuple[RecipeFile, dict[str, Strict]]:
    _refuse_strangers(folder)
    present = {name: model for name, model in PARTS.items() if (folder / name).is_file()}
    files: dict[str, type[Strict]] = {MAIN: RecipeFile, **present}
    parsed: dict[str, Strict] = {}
    faults: list[RecipeError] = []
    for name, model in files.items():
        try:
            parsed[name] = parse(folder / name, model)
        except RecipeError as fault:
            faults.append(fault)
    if faults:
        raise RecipeError("\n".join(fault.what for fault in faults), next_step=faults[0].next_step)
    own = parsed.pop(MAIN)
    assert isinstance(own, RecipeFile)
    return own, parsed


def _refuse_strangers(folder: Path) -> None:
    for path in sorted(folder.glob("*.toml")):
        if path.name not in (MAIN, TIMES, *PARTS):
            raise RecipeError(
                f"{path}: a recipe has no such file", next_step=did_you_mean(path.name, (MAIN, *PARTS))
            )


def parse(path: Path, model: type[Model]) -> Model:
    """A TOML file as a model; raises RecipeError with the key path of each fault."""
    try:
        return model.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise RecipeError(f"{path}: not valid TOML: {fault}", next_step="correct that line") from fault
    except ValidationError as fault:
        lines = "\n".join(f"  {_explain(dict(e), model)}" for e in fault.errors())
        title = str(model.model_config.get("title")).lower()
        raise RecipeError(f"{path} is not a valid {title}:\n{lines}", next_step=_FORMAT) from fault


def _explain(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{path}: {error['msg']}"
    key = str(error["loc"][-1])
    others = [MAIN, *PARTS] if model in PARTS.values() else []
    models: dict[str, type[Strict]] = {MAIN: RecipeFile, **PARTS}
    homes = [name for name in others if key in _keys_at(models[name], error["loc"][:-1])]
    if homes:
        return f"{path}: this key belongs in {' or '.join(homes)}"
    return f"{path}: unknown key; {did_you_mean(key, _keys_at(model, error['loc'][:-1]))}"


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


def _keys(part: Strict) -> Iterator[str]:
    """The keys that a file has set; of its `[build]`, those of the table."""
    for name in sorted(part.model_fields_set):
        value = getattr(part, name)
        if name == "build":
            yield from (f"build.{key}" for key in sorted(value.model_fields_set))
        else:
            yield name


def _refuse_doubles(own: RecipeFile, main: Path, homes: Mapping[str, Path]) -> None:
    mine = {*own.model_fields_set, *(f"build.{key}" for key in own.build.model_fields_set)}
    doubles = [f"  {key}: in {main} and in {path}" for key, path in homes.items() if key in mine]
    if doubles:
        raise RecipeError(
            "a key may stand in one file alone:\n" + "\n".join(doubles),
            next_step="keep the rows of each key in one of its two files",
        )


def _merged(own: RecipeFile, part: Strict) -> RecipeFile:
    new = {name: getattr(part, name) for name in part.model_fields_set}
    if isinstance(part, LevelsFile):
        rows = {name: getattr(part.build, name) for name in part.build.model_fields_set}
        new["build"] = own.build.model_copy(update=rows)
    return own.model_copy(update=new)


def home_of(key: str, homes: Mapping[str, Path], main: Path) -> Path:
    """The file in which a key stands (`components.3.files`), by those that are not in recipe.toml."""
    return next((path for start, path in homes.items() if f"{key}.".startswith(f"{start}.")), main)


def _malformed(main: Path, faults: Iterable[Fault], homes: Mapping[str, Path]) -> RecipeError:
    """The error of faults, each with its key path, by the files in which they stand."""
    by_file: dict[Path, list[str]] = {}
    for key, fault in faults:
        by_file.setdefault(home_of(key, homes, main), []).append(f"  {key}: {fault}")
    texts = ("\n".join([f"{path} is not valid:", *lines]) for path, lines in by_file.items())
    return RecipeError("\n".join(texts), next_step=_FORMAT)
