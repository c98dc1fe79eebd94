"""The recipe format for others: JSON Schema, and recipes/README.md made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spokeshave.build_tables import Strict
from spokeshave.file_tables import BundledFile, ComponentsFile, LevelsFile, RecipeFile
from spokeshave.levers import LEVERS
from spokeshave.recipe_files import MAIN, PARTS
from spokeshave.tables import Profile

FORMATS: Mapping[str, type[Strict]] = {
    "recipe": RecipeFile,
    "levels": LevelsFile,
    "components": ComponentsFile,
    "bundled": BundledFile,
    "profile": Profile,
}
_INTRO = """# Recipes and profiles

<!-- Made by `spokeshave schema readme > recipes/README.md`; a test keeps it in step. Do not edit. -->

A recipe says how one package is built, trimmed and verified. A profile, `recipes/profiles/<name>.toml`, says
which levers are on, which BLAS kernels are kept and how large a wheel may get. Both are data: TOML without
templating and without shell. An unknown key is an error. A pattern that matches nothing is an error.

Hash-locked requirement files are made with
`uv pip compile --generate-hashes --no-annotate --no-header --python-version 3.11`.
`spokeshave schema FILE` prints the JSON Schema of one of: {formats}.

## Files

A recipe is a folder, `recipes/<name>/`. It holds `recipe.toml`, and the files that the recipe names: patches,
locked requirements, export lists. Long tables may have files of their own. A table has the same name in each
file, so that it can be moved as it is. A key in two files is an error.

| file | tables |
|---|---|
{files}

A small recipe keeps all tables in `recipe.toml`.

## Groups of components

Several components often need one patch, or fail one upstream test. A `[[groups]]` row holds what they have in
common, and each component names its groups:

```toml
[[groups]]
name = "subpackages"
summary = "public subpackages, which the package lists by name"
patches = ["patches/0003-say-which-subpackages-are-left-out.patch"]

[[components]]
name = "fft"
summary = "Fourier transforms"
groups = ["subpackages"]
modules = ["demo.fft"]
```

A component inherits the patches, tests and allowed imports of its groups in the order of `groups`. Its own
rows follow. A row that a component has twice, an unknown group and a group without components are errors.

## `{{version}}` in texts

`{{version}}` stands for the version of the package that is built. It is replaced in reasons, in summaries,
and in `version`, `license-file` and `source` of `[[bundled]]`. Any other name in braces is an error. Write
`{{{{` and `}}}}` for braces. The texts of profiles are taken as they are.

## Patterns

A pattern that matches nothing is an error, which names the file, the key and the pattern.

| patterns | are matched with | in |
|---|---|---|
| `build.levels`, `build.fixes`, `levers.link-time.apart` | compiled sources | the compile |
| `untrained` of `training` and of removed components | compiled sources | a compile with a PGO profile |
| `match`, `keep`, `add-newdocs` of other levers | files of the compiled wheel | the finish step |
| `files` of removed components | files of the compiled wheel | the finish step |
| `build.grafts` | vendored libraries | the finish step |
| `verify.present` | files of the finished wheel | `spokeshave verify` |
| `verify.skip`, `tests` of removed components | upstream's tests | `spokeshave verify` |

`versions` and `arch` say for which versions and for which architecture a row of `build.levels` or
`build.fixes` holds. Where a component is removed, the build may leave its sources out, so that a pattern has
nothing to match. Name such patterns under `unmatched` of the component.
"""


def json_schema(what: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one of `FORMATS`."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **FORMATS[what].model_json_schema()}


def readme() -> str:
    """The text of recipes/README.md."""
    formats = ", ".join(f"`{name}`" for name in FORMATS)
    parts = [_INTRO.format(formats=formats, files=_files())]
    parts += ["## Levers\n", "| lever | what it takes out |\n|---|---|"]
    parts += [f"| `{lever.name}` | {lever.summary} |" for lever in LEVERS]
    for title, what in (("Recipe", "recipe"), ("Profile", "profile")):
        schema = json_schema(what)
        parts.append(f"\n## {title}\n\n{_table(schema)}")
        for name, part in sorted(schema.get("$defs", {}).items()):
            parts.append(f"\n### {title}: {_name(name)}\n\n{_table(part)}")
    return "\n".join(parts) + "\n"


def _files() -> str:
    rows = [f"| `{MAIN}` | all tables |"]
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
    """A table's name in the reference: that of its model without what tells models apart."""
    return model.removesuffix("Table").removesuffix("Row")


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
        return f"table {_name(field['$ref'].rsplit('/', 1)[-1])}"
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
