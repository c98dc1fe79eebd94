"""The format as others read it: the reference and the JSON Schema say what the code does."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from spokeshave.build.forecast import TimesTable
from spokeshave.recipes.reading import TIMES
from spokeshave.recipes.reference import FORMATS, files, json_schema, reference
from support import RECIPES

FILES = {
    path: {"profiles": "profile", "rules": "rules"}.get(path.parent.name, path.stem)
    for path in sorted(RECIPES.glob("*/*.toml"))
    if path.name != TIMES
}


def validator(what: str) -> jsonschema.Draft202012Validator:
    schema = json_schema(what)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def faults(what: str, data: Any) -> list[str]:
    return [".".join(map(str, error.absolute_path)) for error in validator(what).iter_errors(data)]


def test_reference_names_every_key_with_its_limits() -> None:
    text = reference()
    for what in FORMATS:
        schema = json_schema(what)
        for table in (schema, *schema["$defs"].values()):
            for key in table["properties"]:
                assert f"\n| `{key}` |" in text
    assert "| `reason` | string | yes | minLength `8` |" in text
    assert "| `versions` | list of table `Version` | yes | minItems `1` |" in text
    assert "| `sha256` | string | yes | pattern `^[0-9a-f]{64}$` |" in text
    assert "| `build` | integer | `1` | minimum `1` |" in text
    assert "keys `x86_64`, `aarch64`" in text
    assert r"( -([fm][a-z0-9=-]+\|D\w+(=\w+)?))*$`" in text, "a bar in a cell is escaped"


def tables() -> dict[str, dict[str, Any]]:
    """All tables of all formats, by format and name."""
    schemas = {what: json_schema(what) for what in FORMATS} | {"times": TimesTable.model_json_schema()}
    parts = ((what, one.get("$defs", {})) for what, one in schemas.items())
    return schemas | {f"{what}.{name}": table for what, defs in parts for name, table in defs.items()}


@pytest.mark.parametrize("table", tables().values(), ids=list(tables()))
def test_reference_every_key_says_what_it_sets(table: dict[str, Any]) -> None:
    missing = [key for key, field in table["properties"].items() if len(field.get("description", "")) < 5]
    assert missing == [], "give each `Field` a description: what it sets, its unit, its limits"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_ships_fits_the_exported_schema(path: Path) -> None:
    assert faults(FILES[path], tomllib.loads(path.read_text("utf-8"))) == []


def test_the_schema_is_as_strict_as_the_code() -> None:
    good = {
        **tomllib.loads((RECIPES / "openblas" / "recipe.toml").read_text("utf-8")),
        **tomllib.loads((RECIPES / "openblas" / "bundled.toml").read_text("utf-8")),
    }
    changes: list[tuple[Callable[[dict[str, Any]], object], str]] = [
        (lambda d: d.update(sumary="x"), ""),  # codespell:ignore sumary
        (lambda d: d["build"].update(import_name="x"), "build"),
        (lambda d: d["versions"][0]["source"].update(sha256="short"), "versions.0.source.sha256"),
        (lambda d: d["bundled"][0].update(version=1), "bundled.0.version"),
        (lambda d: d.pop("license"), ""),
        (lambda d: d.update(schema=2), "schema"),
    ]
    for change, where in changes:
        bad = copy.deepcopy(good)
        change(bad)
        assert faults("recipe", bad) == [where]


@pytest.mark.parametrize(
    ("what", "change", "where"),
    [
        ("levels", lambda d: d["build"]["levels"][0].update(level="O9"), "build.levels.0.level"),
        ("levels", lambda d: d.update(components=[]), ""),
        ("components", lambda d: d["groups"][0].update(modules=["x"]), "groups.0"),
        ("components", lambda d: d["components"][0].update(groups="x"), "components.0.groups"),
        ("bundled", lambda d: d["bundled"][0].pop("license"), "bundled.0"),
    ],
)
def test_schema_of_a_part_is_as_strict_as_the_code(
    what: str, change: Callable[[dict[str, Any]], object], where: str
) -> None:
    data = tomllib.loads((RECIPES / "scipy" / f"{what}.toml").read_text("utf-8"))
    assert faults(what, data) == []
    change(data)
    assert faults(what, data) == [where]


def test_files_table_names_each_file_and_its_tables() -> None:
    text = files()
    assert "| `levels.toml` | `[[build.levels]]`, `[[build.fixes]]` |" in text
    assert "| `components.toml` | `[[groups]]`, `[[components]]` |" in text
    assert "| `bundled.toml` | `[[bundled]]` |" in text


def test_levers_are_on_or_off() -> None:
    assert faults("profile", {"schema": 1, "name": "x", "summary": "x"}) == []
    assert faults("profile", {"schema": 1, "name": "x", "summary": "x", "levers": {"tests": "yes"}}) == [
        "levers.tests"
    ]
