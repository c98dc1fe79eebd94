"""Keys hold what changes bytes and outcomes, and nothing else: each field of a recipe is on one side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from spokeshave.build.pgo.fit import fit_key
from spokeshave.build.plan import make_plan
from spokeshave.inside.model import Environment, bare_text
from spokeshave.recipes.book import Loaded, RecipeBook
from spokeshave.recipes.build_schema import PROSE
from spokeshave.recipes.schema import Profile, Recipe
from spokeshave.recipes.select import chosen_components, library_names, removal_patch_names
from spokeshave.verify.records import subject_digest
from support import RECIPES, TARGET, TOOL, WHERE, shipped_plan

BOOK = RecipeBook([RECIPES])
Path = tuple[str | int, ...]

# Prose that lands in a wheel: in stubs, in METADATA, in the SBOM. It changes bytes, so it is part of keys.
LANDS = {"RemoveTable.reason", "Recipe.summary", "Recipe.license"}
# Facts that change neither bytes nor outcomes at level full by themselves, and why.
NO_KEY = {
    "Recipe.schema_": "the format of the file",
    "Recipe.draft": "whether a record is asked for",
    "Recipe.timed_import": "the import that `bench` times",
    "Profile.schema_": "the format of the file",
    "Profile.draft": "whether a record is asked for",
    "Profile.extends": "what it brings is resolved, and counts by itself",
    "Profile.budgets": "a limit that bytes are held to",
    "Profile.trace": "what traced runs showed, for people and for `explain`",
    "Profile.allow": "what the check of removals lets pass",
    "BlasTable.recipe": "picks a library, whose key counts",
    "LevelTable.versions": "picks rows, which count: `test_plan`",
    "FixTable.versions": "picks rows, which count: `test_plan`",
    "FixTable.arch": "picks rows, which count: `test_plan`",
    "LevelTable.arch": "picks rows, which count: `test_plan`",
    "ComponentTable.needed_by_pypi": "what a traced run with the PyPI wheels can show",
    "ComponentTable.name": "what a profile's row names; the row counts",
    "TrainingTable.untrained": "counts in the build that uses PGO: `training/test_plans`",
    "VersionTable.requires_python": "picks the version, which counts",
    "VerifyTable.cpu_features": "which cores a CPU can run, for the check of kernels",
    "VerifyTable.smoke": "a lower level than that of records",
    "VerifyTable.core": "a lower level than that of records",
    "BuildTable.upstream_level": "counts where the lever optimisation is off: `test_plan`",
    "TrainingTable.bundles": "the first that fits is used, and its sha256 counts",
    "TrainingTable.variable": "how profile data is collected; the data's sha256 counts",
    "TrainingTable.dispatch": "how profile data is collected; the data's sha256 counts",
    "TrainingTable.suite": "how profile data is collected; the data's sha256 counts",
    "TrainingTable.tests": "how profile data is collected; the data's sha256 counts",
    "BundleTable.file": "where the PGO profile lies; its sha256 counts",
    "BundleTable.sha256": "counts in the build that uses it: `training/test_plans`",
}


@cache
def library(name: str, profile: str) -> Any:
    return shipped_plan(name, profile)


def keys(loaded: Loaded, profile: Profile, base: str) -> dict[str, str]:
    """All keys of a recipe under a profile; `base` names the profile that its libraries are built in."""
    files = defaultdict(lambda: "--- a/x.c\n+++ b/x.c\n", loaded.files)
    loaded = replace(loaded, files=files)
    libraries = tuple(library(name, base) for name in library_names(loaded.recipe, BOOK.profile(base)))
    plan = make_plan(loaded, profile, TARGET, WHERE, tool=TOOL, libraries=libraries)
    table = loaded.recipe.training
    return {
        "compile": plan.compile_key,
        "wheel": plan.digest,
        "recipe": plan.recipe_digest,
        "record": subject_digest(loaded, plan, libraries),
        "pgo": fit_key(plan, table) if table else "",
    }


def places(table: BaseModel, path: Path = ()) -> Iterator[tuple[str, Path, Any, bool]]:
    """Each field of a table and of those in it: its name, the way to it, its value, whether it is prose."""
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        yield f"{type(table).__name__}.{name}", (*path, name), value, PROSE in field.metadata
        for number, one in enumerate(_inner(value) or (value,)):
            if isinstance(one, BaseModel):
                where = (*path, name, number) if isinstance(value, tuple) else (*path, name)
                yield from places(one, where)


def _inner(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def put(table: Any, path: Path, value: object) -> Any:
    """A copy of a table with another value at the end of a way."""
    if not path:
        return value
    first, *rest = path
    if isinstance(table, tuple):
        assert isinstance(first, int)
        return (*table[:first], put(table[first], tuple(rest), value), *table[first + 1 :])
    return table.model_copy(update={first: put(getattr(table, str(first)), tuple(rest), value)})


def others(value: object, choices: tuple[object, ...]) -> list[object]:
    """Other values of the same kind."""
    if choices:
        return [one for one in (*choices, None) if one != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if value is None or isinstance(value, str):
        return [f"{value}x"]
    if isinstance(value, tuple):
        return [(*value, "more/*"), value[1:]]
    assert isinstance(value, Mapping)
    return [{**value, key: new} for key, one in value.items() for new in others(one, ())]


def literals(model: str, name: str) -> tuple[object, ...]:
    waiting: list[object] = [MODELS[model].model_fields[name].annotation]
    while waiting:
        one = waiting.pop()
        if get_origin(one) is Literal:
            return get_args(one)
        waiting += get_args(one) if get_origin(one) in (Union, UnionType) else ()
    return ()


def models(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The model and all that its fields are made of."""
    found = {model.__name__: model}
    waiting = [field.annotation for field in model.model_fields.values()]
    while waiting:
        one = waiting.pop()
        waiting.extend(get_args(one))
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__name__ not in found:
            found |= models(one)
    return found


MODELS = {**models(Recipe), **models(Profile)}
FACTS = sorted(
    field
    for model, one in MODELS.items()
    for name, about in one.model_fields.items()
    if (field := f"{model}.{name}") not in NO_KEY and (PROSE not in about.metadata or field in LANDS)
)

SHIPPED = [
    (recipe, profile)
    for profile in ("lean", "sklearn", "full", "netlib", "upstreamblas")
    for recipe in ("openblas", "netlib", "scipy-openblas", "numpy", "scipy", "pandas", "scikit-learn")
]


@cache
def occurrences() -> Mapping[str, list[tuple[str, str, str, Path, Any]]]:
    """Field to where it stands: recipe, profile, in which of the two, the way, the value."""
    found: dict[str, list[tuple[str, str, str, Path, Any]]] = defaultdict(list)
    for recipe, profile in SHIPPED:
        loaded, chosen = tables(recipe, profile)
        removed = {row.component for row in chosen.remove}
        for which, table in (("recipe", loaded.recipe), ("profile", chosen)):
            for field, path, value, _ in places(table):
                part = (
                    loaded.recipe.components[int(path[1])].name
                    if path[0] == "components" and path[1:]
                    else ""
                )
                if not part or f"{recipe}/{part}" in removed:
                    found[field].append((recipe, profile, which, path, value))
    return found


@cache
def tables(recipe: str, profile: str) -> tuple[Loaded, Profile]:
    return BOOK.load(recipe), BOOK.profile(profile)


@cache
def shipped_keys(recipe: str, profile: str) -> dict[str, str]:
    return keys(*tables(recipe, profile), profile)


@pytest.mark.parametrize(("recipe", "profile"), SHIPPED)
def test_keys_every_prose_reworded_same(recipe: str, profile: str) -> None:
    loaded, chosen = tables(recipe, profile)
    reworded = 0
    for field, path, value, prose in list(places(loaded.recipe)):
        if prose and field not in LANDS:
            loaded = replace(loaded, recipe=put(loaded.recipe, path, f"{value}, in other words"))
            reworded += 1
    for field, path, value, prose in list(places(chosen)):
        if prose and field not in LANDS:
            chosen = put(chosen, path, f"{value}, in other words")
            reworded += 1
    assert reworded
    assert keys(loaded, chosen, profile) == shipped_keys(recipe, profile)


@pytest.mark.parametrize("recipe", sorted({recipe for recipe, _ in SHIPPED}))
def test_keys_comments_and_patch_headers_reworded_same(recipe: str) -> None:
    loaded, profile = tables(recipe, "lean")
    files = {
        name: f"Another reason.\n{text}" if name.endswith(".patch") else f"# another comment\n{text}"
        for name, text in loaded.files.items()
    }
    assert keys(replace(loaded, files=files), profile, "lean") == shipped_keys(recipe, "lean")


@pytest.mark.parametrize("field", FACTS)
def test_keys_other_fact_other_key(field: str) -> None:
    """At one of the places at least where a shipped recipe or profile has the field."""
    model, _, name = field.partition(".")
    found = occurrences().get(field, [])
    if any(isinstance(one, BaseModel) for *_, value in found for one in (value, *_inner(value))):
        return  # its own fields are walked over
    assert found, "no shipped recipe has it: name it in NO_KEY, with the reason, or test it by hand"
    for recipe, profile, which, path, value in found:
        loaded, chosen = tables(recipe, profile)
        for changed in others(value, literals(model, name)):
            try:
                if which == "recipe":
                    after = keys(replace(loaded, recipe=put(loaded.recipe, path, changed)), chosen, profile)
                else:
                    after = keys(loaded, put(chosen, path, changed), profile)
            except Exception:  # a value that planning refuses: another one will do
                continue
            if after != shipped_keys(recipe, profile):
                return
    pytest.fail(f"{field} changes no key: mark it as prose, or name it in NO_KEY with the reason")


def test_keys_patch_of_a_removal_changes_the_wheel_alone() -> None:
    loaded, profile = tables("scipy", "sklearn")
    name = removal_patch_names(chosen_components(loaded, profile))[0]
    changed = replace(loaded, files={**loaded.files, name: loaded.files[name] + "+# more\n"})
    assert differing(changed, profile) == {"wheel", "recipe", "record"}


def test_keys_variants_of_a_removal_change_the_wheel_alone() -> None:
    loaded, profile = tables("scipy", "sklearn")
    number = [part.name for part in loaded.recipe.components].index("lapack-interfaces")
    recipe = put(loaded.recipe, ("components", number, "variants"), ("scipy/linalg/_other",))
    assert differing(replace(loaded, recipe=recipe), profile) == {"wheel", "recipe", "record"}


def differing(loaded: Loaded, profile: Profile) -> set[str]:
    """The names of the keys that differ from those of the shipped recipe."""
    before, after = shipped_keys(loaded.recipe.name, profile.name), keys(loaded, profile, profile.name)
    return {name for name, key in after.items() if key != before[name]}


def test_keys_stock_hash_of_another_python_same() -> None:
    loaded, profile = tables("numpy", "lean")
    first = loaded.recipe.versions[0]
    more = first.model_copy(update={"stock": {**first.stock, "cp313-manylinux_x86_64": "0" * 64}})
    recipe = loaded.recipe.model_copy(update={"versions": (more,)})
    assert keys(replace(loaded, recipe=recipe), profile, "lean") == shipped_keys("numpy", "lean")


def test_keys_patch_of_python_alone_keeps_the_pgo_profile() -> None:
    loaded, profile = tables("numpy", "lean")
    name = loaded.recipe.versions[0].patches[0]
    patched = {
        suffix: replace(
            loaded,
            files={**loaded.files, name: loaded.files[name].replace(".py\n", f"{suffix}\n") + "+# more\n"},
        )
        for suffix in (".py", ".c")
    }
    before = shipped_keys("numpy", "lean")
    after = {suffix: keys(one, profile, "lean") for suffix, one in patched.items()}
    assert after[".py"]["pgo"] == before["pgo"] != after[".c"]["pgo"]
    assert after[".py"]["compile"] != before["compile"]


def test_bare_text_lock_keeps_hashes_alone() -> None:
    lock = "# made by uv\nmeson==1.9 \\\n    --hash=sha256:ab  # why\n\n"
    assert bare_text("requirements.txt", lock) == "meson==1.9 \\\n    --hash=sha256:ab"
    assert bare_text("a.patch", "Why.\n# a\n--- a/x\n+++ b/x\n+# b\n") == "--- a/x\n+++ b/x\n+# b\n"


@pytest.mark.parametrize("recipe", ["openblas", "netlib"])
def test_compile_key_library_is_equal_for_all_pythons_with_one_toolchain(recipe: str) -> None:
    tools = {"gcc-14": "14.2.0-19", "binutils": "2.44-3", "libc6-dev": "2.28-10"}

    def key(python: str, **more: str) -> str:
        where = Environment(
            engine="docker",
            image=f"spokeshave-build-{python}",
            image_digest=python,
            toolchain={**tools, "cpython": python, **more},
        )
        plan = shipped_plan(recipe)
        return replace(plan, target=replace(plan.target, python=python), environment=where).compile_key

    assert key("cp311") == key("cp313") != key("cp313", binutils="2.45-1")
