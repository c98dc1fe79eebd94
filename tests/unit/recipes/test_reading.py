"""A recipe in one file or in four: the tables are the same, and errors name the right file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from demorecipe import RECIPE
from spokeshave.errors import RecipeError
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.reading import MAIN, PARTS
from support import RECIPES

COMPONENTS = """
[[components]]
name = "net"
summary = "what talks to the network"
modules = ["demo.net"]
patches = ["two.patch"]
"""
SPLIT = {"levels.toml": "[[build.levels]]", "bundled.toml": "[[bundled]]"}


def table_of(text: str, header: str) -> str:
    """A table of a recipe's text, from its header to the blank line behind it."""
    start = text.index(header)
    return text[start : text.index("\n\n", start) + 1]


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """The folder of a sound recipe with all four files."""
    folder = tmp_path / "demo"
    folder.mkdir()
    for name in ("lock.txt", "exports.txt", "one.patch", "two.patch"):
        (folder / name).write_text(f"content of {name}\n")
    text = RECIPE
    for file, header in SPLIT.items():
        table = table_of(text, header)
        (folder / file).write_text(table)
        text = text.replace(table, "")
    (folder / "components.toml").write_text(COMPONENTS)
    (folder / MAIN).write_text(text)
    return folder


def load(folder: Path) -> RecipeError | None:
    try:
        RecipeBook([folder.parent]).load("demo")
    except RecipeError as fault:
        return fault
    return None


def test_recipe_files_four_files_same_recipe_as_one(demo: Path, tmp_path: Path) -> None:
    four = RecipeBook([tmp_path]).load("demo")
    for file in PARTS:
        (demo / file).unlink()
    (demo / MAIN).write_text(RECIPE + COMPONENTS)
    one = RecipeBook([tmp_path]).load("demo")
    assert four.recipe == one.recipe
    assert four.files == one.files
    assert [row.match for row in four.recipe.build.levels] == ["*/cold/*"]
    assert four.home("components.net.files") == demo / "components.toml"
    assert one.home("components.net.files") == four.home("verify.skip") == demo / MAIN


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("levels.toml", "level =", "lvel =", "build.levels.0.lvel: unknown key; did you mean 'level'?"),
        ("levels.toml", "match =", "arch =", "build.levels.0.match: Field required"),
        (
            "components.toml",
            "modules =",
            "module =",
            "components.0.module: unknown key; did you mean 'modules'?",
        ),
        ("bundled.toml", "[[bundled]]", "[[bundle]]", "bundle: unknown key; did you mean 'bundled'?"),
        ("bundled.toml", "[[bundled]]", "[[components]]", "components: this key belongs in recipe.toml or"),
        (MAIN, "summary =", "sumary =", "sumary: unknown key; did you mean 'summary'?"),
    ],
)
def test_recipe_files_fault_names_its_file(demo: Path, file: str, old: str, new: str, said: str) -> None:
    text = (demo / file).read_text()
    (demo / file).write_text(text.replace(old, new, 1))
    fault = load(demo)
    assert fault is not None
    head, *lines = fault.what.splitlines()
    assert head.startswith(f"{demo / file} is not a valid ")
    assert any(line.startswith(f"  {said}") for line in lines), fault.what
    assert not [name for name in (MAIN, *PARTS) if name != file and str(demo / name) in fault.what]


def test_recipe_files_faults_in_two_files_both_reported(demo: Path) -> None:
    for file, old, new in (("levels.toml", "level =", "lvel ="), ("bundled.toml", "license =", "licence =")):
        (demo / file).write_text((demo / file).read_text().replace(old, new, 1))
    fault = load(demo)
    assert fault is not None
    assert str(demo / "levels.toml") in fault.what
    assert str(demo / "bundled.toml") in fault.what


@pytest.mark.parametrize(
    ("key", "file", "header"),
    [
        ("build.levels", "levels.toml", "[[build.levels]]"),
        ("components", "components.toml", "[[components]]"),
        ("bundled", "bundled.toml", "[[bundled]]"),
    ],
)
def test_recipe_files_key_in_two_files_names_both(demo: Path, key: str, file: str, header: str) -> None:
    assert header in (demo / file).read_text()
    (demo / MAIN).write_text((demo / MAIN).read_text() + "\n" + (demo / file).read_text())
    fault = load(demo)
    assert fault is not None
    assert f"  {key}: in {demo / MAIN} and in {demo / file}" in fault.what.splitlines()


def test_recipe_files_unknown_file_has_a_hint(demo: Path) -> None:
    (demo / "components.toml").rename(demo / "component.toml")
    fault = load(demo)
    assert fault is not None
    assert str(demo / "component.toml") in fault.what
    assert fault.next_step == "did you mean 'components.toml'?"


def test_recipe_files_missing_patch_names_the_file_that_names_it(demo: Path) -> None:
    (demo / "two.patch").unlink()
    fault = load(demo)
    assert fault is not None
    assert fault.what == f"{demo / 'components.toml'} names 'two.patch', which cannot be read"


def test_recipe_files_unknown_option_of_a_lever_has_a_hint(demo: Path) -> None:
    (demo / MAIN).write_text((demo / MAIN).read_text() + '\n[levers.tests]\nmach = ["demo/testing.py"]\n')
    fault = load(demo)
    assert fault is not None
    assert fault.what.splitlines() == [
        f"{demo / MAIN} is not valid:",
        "  levers.tests.mach: lever 'tests' has no option 'mach'; its options are: match, keep, off",
    ]


@pytest.mark.parametrize(
    ("lever", "option"), [("tests", "apart"), ("typing", "languages"), ("sections", "keep")]
)
def test_recipe_files_option_of_another_lever_is_an_error(demo: Path, lever: str, option: str) -> None:
    (demo / MAIN).write_text((demo / MAIN).read_text() + f'\n[levers.{lever}]\n{option} = ["x"]\n')
    fault = load(demo)
    assert fault is not None
    assert f"lever '{lever}' has no option '{option}'; its options are: " in fault.what


def test_recipe_files_broken_toml_names_its_file(demo: Path) -> None:
    (demo / "levels.toml").write_text("[[build.levels]\n")
    fault = load(demo)
    assert fault is not None
    assert f"{demo / 'levels.toml'}: not valid TOML" in fault.what


@pytest.mark.parametrize("name", ["numpy", "openblas", "pandas", "scikit-learn", "scipy"])
def test_recipe_files_shipped_long_tables_stand_apart(name: str) -> None:
    folder = RECIPES / name
    main = tomllib.loads((folder / MAIN).read_text("utf-8"))
    assert not {"components", "groups", "bundled"} & set(main)
    assert not {"levels", "fixes"} & set(main["build"])
    assert (folder / "levels.toml").is_file()
