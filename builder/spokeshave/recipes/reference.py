"""The recipe format for others: JSON Schema, and the tables of the reference page made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spokeshave.recipes.build_schema import Strict
from spokeshave.recipes.file_schema import BundledFile, ComponentsFile, LevelsFile, RecipeFile
from spokeshave.recipes.reading import MAIN, PARTS
from spokeshave.recipes.rule_schema import RulesFile
from spokeshave.recipes.schema import Profile

FORMATS: Mapping[str, type[Strict]] = {
    "recipe": RecipeFile,
    "levels": LevelsFile,
    "components": ComponentsFile,
    "bundled": BundledFile,
    "profile": Profile,
    "rules": RulesFile,
}
_LIMITS = ("pattern", "minLength", "minItems", "minimum", "maximum")


def json_schema(what: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one of `FORMATS`."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **FORMATS[what].model_json_schema()}


def reference() -> str:
    """The tables of every key of recipes, profiles and rules, for docs/reference/recipe-format.md."""
    parts = []
    for title, what in (("Recipe", "recipe"), ("Profile", "profile"), ("Rules", "rules")):
        schema = json_schema(what)
        parts.append(f"## {title}\n\n{_table(schema)}\n")
        for name, part in sorted(schema.get("$defs", {}).items()):
            parts.append(f"### {title}: `{_name(name)}`\n\n{_table(part)}\n")
    return "\n".join(parts)


def files() -> str:
    """The table of a recipe's files, in Markdown: which tables each may hold."""
    rows = ["| file | tables |", "|---|---|", f"| `{MAIN}` | all tables |"]
    for file, model in PARTS.items():
        keys = ", ".join(f"`[[{key}]]`" for key in _tables_of(model))
        rows.append(f"| `{file}` | {keys} |")
    return "\n".join(rows)


def _tables_of(model: type[Strict]) -> list[str]:
    """The names of a file's tables; of those in `[build]` with `build.` before them."""
    names = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Strict):
            names += [f"{name}.{one}" for one in _tables_of(inner)]
        else:
            names.append(name)
    return names


def _name(model: str) -> str:
    """A table's name in the reference: that of its model without the ending."""
    return model.removesuffix("Table").removesuffix("Row")


def _table(schema: dict[str, Any]) -> str:
    rows = [
        f"{schema.get('description', '').splitlines()[0]}\n",
        "| key | type | needed | limits | meaning |",
        "|---|---|---|---|---|",
    ]
    for key, field in schema["properties"].items():
        needed = "yes" if key in schema.get("required", ()) else _default(field)
        cells = (f"`{key}`", _type(field), needed, _limits(field), field.get("description", ""))
        rows.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(rows)


def _limits(field: dict[str, Any]) -> str:
    """What a value must keep to beyond its type; of a list or a table, each of its values."""
    found = [f"{name} `{field[name]}`" for name in _LIMITS if name in field]
    inner = [field.get(name) for name in ("items", "additionalProperties")] + list(field.get("anyOf", ()))
    found += [text for one in inner if isinstance(one, dict) and (text := _limits(one))]
    if isinstance(names := field.get("propertyNames"), dict) and "enum" in names:
        found.append("keys " + ", ".join(f"`{name}`" for name in names["enum"]))
    return "; ".join(found)


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    return f"`{default}`" if default not in (None, "", [], {}) else "no"


def _type(field: dict[str, Any]) -> str:  # noqa: PLR0911  (one line a case)
    if "$ref" in field:
        return f"table `{_name(field['$ref'].rsplit('/', 1)[-1])}`"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"] if one.get("type") != "null")
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    if field.get("type") == "object":
        return f"table of {_type(field.get('additionalProperties') or {})}"
    return str(field.get("type", "any"))
