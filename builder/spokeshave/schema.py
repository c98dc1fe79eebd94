"""The recipe format for others: JSON Schema, and recipes/README.md made from it."""

from __future__ import annotations

from typing import Any, Literal

from spokeshave.levers import LEVERS
from spokeshave.tables import Profile, Recipe

_INTRO = """# Recipes and profiles

<!-- Made by `spokeshave schema readme > recipes/README.md`; a test keeps it in step. Do not edit. -->

A recipe, `recipes/<name>/recipe.toml`, says how one package is built, trimmed and proved. A profile,
`recipes/profiles/<name>.toml`, says which levers are on, which BLAS kernels are kept and how large a wheel
may get. Both are data: TOML without templating and without shell. An unknown key is an error. Files that a
recipe names (patches, locked requirements, export lists) lie beside it.

Hash-locked requirement files are made with
`uv pip compile --generate-hashes --no-annotate --no-header --python-version 3.11`.
`spokeshave schema recipe` and `spokeshave schema profile` print the JSON Schema.
"""


def json_schema(what: Literal["recipe", "profile"] | str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of recipes or of profiles."""
    model = Recipe if what == "recipe" else Profile
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}


def readme() -> str:
    """The text of recipes/README.md."""
    parts = [_INTRO, "## Levers\n", "| lever | what it takes out |\n|---|---|"]
    parts += [f"| `{lever.name}` | {lever.summary} |" for lever in LEVERS]
    for title, what in (("Recipe", "recipe"), ("Profile", "profile")):
        schema = json_schema(what)
        parts.append(f"\n## {title}\n\n{_table(schema)}")
        for name, part in sorted(schema.get("$defs", {}).items()):
            parts.append(f"\n### {title}: {name.removesuffix('Table')}\n\n{_table(part)}")
    return "\n".join(parts) + "\n"


def _table(schema: dict[str, Any]) -> str:
    rows = [
        f"{schema.get('description', '').splitlines()[0]}\n",
        "| key | type | needed | meaning |",
        "|---|---|---|---|",
    ]
    for key, field in schema["properties"].items():
        needed = "yes" if key in schema.get("required", ()) else _default(field)
        rows.append(f"| `{key}` | {_type(field)} | {needed} | {field.get('description', '')} |")
    return "\n".join(rows)


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    return f"`{default}`" if default not in (None, "", [], {}) else "no"


def _type(field: dict[str, Any]) -> str:  # noqa: PLR0911  (one line a case)
    if "$ref" in field:
        return f"table {field['$ref'].rsplit('/', 1)[-1].removesuffix('Table')}"
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
