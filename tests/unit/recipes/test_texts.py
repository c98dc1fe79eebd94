"""`{version}` in texts: replaced for the version that is planned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from demorecipe import PROFILE, RECIPE
from spokeshave.build.plan import make_plan
from spokeshave.errors import RecipeError
from spokeshave.recipes.book import Loaded, RecipeBook
from support import RECIPES, TARGET, TOOL, WHERE, shipped_plan


def load(tmp_path: Path, *changes: tuple[str, str]) -> Loaded:
    (tmp_path / "demo").mkdir()
    for name in ("lock.txt", "exports.txt", "one.patch"):
        (tmp_path / "demo" / name).write_text("--- a/x.c\n+++ b/x.c\n")
    text = RECIPE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "demo" / "recipe.toml").write_text(text)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "small.toml").write_text(PROFILE)
    return RecipeBook([tmp_path]).load("demo")


FILLED = (
    ('version = "3"', 'version = "as in demo {version}"'),
    ('source = "vendored"', 'source = "sdist demo {version}, vendored"'),
    ('"A package for tests"', '"A package, {version}, for {{tests}}"'),
    ('"never called in a loop"', '"never called in a loop of demo {version}"'),
    ('"wants the network"', '"wants the network in {version}"'),
)


def test_texts_plan_has_the_version_of_its_python(tmp_path: Path) -> None:
    loaded = load(tmp_path, *FILLED)
    profile = RecipeBook([tmp_path]).profile("small").model_copy(update={"levers": {"optimisation": True}})
    for python, version in (("cp311", "1.0"), ("cp312", "2.0")):
        plan = make_plan(loaded, profile, replace(TARGET, python=python), WHERE, tool=TOOL)
        (part,) = plan.bundled
        assert (part.version, part.source) == (f"as in demo {version}", f"sdist demo {version}, vendored")
        assert plan.compile.settings["summary"] == f"A package, {version}, for {{tests}}"
        assert plan.compile.levels[0].reason == f"never called in a loop of demo {version}"


def test_texts_named_version_same_keys_as_written_out(tmp_path: Path) -> None:
    named = load(tmp_path, *FILLED)
    written = named.at("1.0")
    assert "{version}" not in str(written.recipe)
    profile = RecipeBook([tmp_path]).profile("small")
    plans = [make_plan(one, profile, TARGET, WHERE, tool=TOOL) for one in (named, written)]
    assert plans[0] == plans[1]
    assert plans[0].digest == plans[1].digest


def test_texts_filled_twice_same_for_one_version_error_for_another(tmp_path: Path) -> None:
    once = load(tmp_path, *FILLED).at("1.0")
    assert once.at("1.0") is once
    with pytest.raises(ValueError, match=r"has the texts of 1\.0, not of 2\.0"):
        once.at("2.0")


def test_texts_skip_reason_is_filled(tmp_path: Path) -> None:
    assert load(tmp_path, *FILLED).at("2.0").recipe.verify.skip[0].reason == "wants the network in 2.0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("as in demo {verson}", "unknown name {verson}; did you mean 'version'?"),
        ("as in demo {}", "unknown name {}; known: version"),
        ("as in demo {version:>9}", "{version} takes no format"),
        ("as in demo {version.real}", "unknown name {version.real}; did you mean 'version'?"),
        ("as in demo {version", "a brace without its partner"),
    ],
)
def test_texts_unknown_name_is_an_error_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, ('version = "3"', f'version = "{text}"'))
    head, line = caught.value.what.splitlines()
    assert head == f"{tmp_path / 'demo' / 'recipe.toml'} is not valid:"
    assert line.startswith(f"  bundled.0.version: {said}")


def test_texts_braces_elsewhere_are_plain() -> None:
    """The kernels' symbols are named by `{}`, which is no text."""
    assert RecipeBook([RECIPES]).load("openblas").recipe.build.library is not None
    assert shipped_plan("openblas").offers["kernel_symbol"] == "gotoblas_{}"


@pytest.mark.parametrize("name", RecipeBook([RECIPES]).names())
def test_texts_shipped_bundled_rows_do_not_repeat_the_version(name: str) -> None:
    loaded = RecipeBook([RECIPES]).load(name)
    version = loaded.recipe.versions[0].version
    for row in loaded.recipe.bundled:
        assert f" {version}" not in f" {row.version} {row.source}", row.name
    for row in loaded.at(version).recipe.bundled:
        assert "{" not in f"{row.version}{row.source}{row.license_file}", row.name
