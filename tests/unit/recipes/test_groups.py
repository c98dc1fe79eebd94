"""Groups of components: a component has the rows of its groups, then its own."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from demorecipe import RECIPE
from spokeshave.errors import RecipeError
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.schema import ComponentTable
from support import RECIPES

GROUPS = """
[[groups]]
name = "late"
summary = "modules that the package imports late"
patches = ["one.patch", "two.patch"]
tests = [{ test = "demo/tests/test_api.py", reason = "lists the modules" }]
allow = [{ importer = "demo", reason = "asking for it raises an AttributeError" }]

[[groups]]
name = "io"
summary = "readers and writers"
patches = ["three.patch"]

[[components]]
name = "net"
summary = "what talks to the network"
groups = ["io", "late"]
modules = ["demo.net", "demo.net_more"]
patches = ["four.patch"]
tests = [{ test = "demo/tests/test_net.py", reason = "opens a socket" }]

[[components]]
name = "own"
summary = "in no group"
modules = ["demo.own"]
patches = ["one.patch"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo").mkdir()
    for name in ("lock.txt", "exports.txt", "one.patch", "two.patch", "three.patch", "four.patch"):
        (tmp_path / "demo" / name).write_text(f"content of {name}\n")
    (tmp_path / "demo" / "recipe.toml").write_text(RECIPE)
    (tmp_path / "demo" / "components.toml").write_text(GROUPS)
    return tmp_path


def components(folder: Path) -> dict[str, ComponentTable]:
    return {part.name: part for part in RecipeBook([folder]).load("demo").recipe.components}


def test_groups_component_inherits_groups_rows_before_its_own(folder: Path) -> None:
    net = components(folder)["net"]
    assert net.patches == ("three.patch", "one.patch", "two.patch", "four.patch")
    assert [row.test for row in net.tests] == ["demo/tests/test_api.py", "demo/tests/test_net.py"]
    assert [(row.importer, row.target) for row in net.allow] == [("demo", "demo.net")]
    assert components(folder)["own"].patches == ("one.patch",)


def test_groups_files_of_groups_are_read(folder: Path) -> None:
    assert "two.patch" in RecipeBook([folder]).load("demo").files


def test_groups_resolved_component_says_the_same_as_one_written_out(folder: Path) -> None:
    written = """
[[components]]
name = "net"
summary = "what talks to the network"
modules = ["demo.net", "demo.net_more"]
patches = ["three.patch", "one.patch", "two.patch", "four.patch"]
tests = [
    { test = "demo/tests/test_api.py", reason = "lists the modules" },
    { test = "demo/tests/test_net.py", reason = "opens a socket" },
]
allow = [{ importer = "demo", target = "demo.net", reason = "asking for it raises an AttributeError" }]
"""
    inherited = components(folder)["net"]
    (folder / "demo" / "components.toml").write_text(written)
    assert components(folder)["net"] == inherited
    assert components(folder)["net"].facts() == inherited.facts()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '["io", "late"]',
            '["io", "lat"]',
            "components.0.groups: there is no group 'lat'; did you mean 'late'?",
        ),
        ('["io", "late"]', '["late"]', "groups.1: no component is in group 'io'; delete it"),
        ('name = "io"', 'name = "late"', "groups.1.name: there are two rows 'late'"),
        ('name = "own"', 'name = "net"', "components.1.name: there are two rows 'net'"),
        ('["four.patch"]', '["two.patch"]', "components.0.patches: 'net' has 'two.patch' twice"),
        ("test_net.py", "test_api.py", "components.0.tests: 'net' has 'demo/tests/test_api.py' twice"),
        ('modules = ["demo.net", "demo.net_more"]\n', "", "components.0: 'net' has no module"),
        (
            'modules = ["demo.own"]',
            'modules = ["demo.own"]\nlate = ["demo.x"]',
            "components.1.late: 'demo.x' is not",
        ),
    ],
)
def test_groups_fault_has_its_place_and_file(folder: Path, old: str, new: str, said: str) -> None:
    path = folder / "demo" / "components.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(RecipeError) as caught:
        components(folder)
    head, *lines = caught.value.what.splitlines()
    assert head == f"{path} is not valid:"
    assert any(line.startswith(f"  {said}") for line in lines), caught.value.what


def test_groups_in_the_main_file_work_too(folder: Path) -> None:
    before = components(folder)
    (folder / "demo" / "components.toml").unlink()
    (folder / "demo" / "recipe.toml").write_text(RECIPE + GROUPS)
    assert components(folder) == before


@pytest.mark.parametrize("name", ["numpy", "pandas", "scipy"])
def test_groups_shipped_recipe_names_a_shared_patch_at_most_twice(name: str) -> None:
    data = tomllib.loads((RECIPES / name / "components.toml").read_text("utf-8"))
    named = Counter(
        patch for row in (*data["groups"], *data["components"]) for patch in row.get("patches", ())
    )
    assert max(named.values()) <= 2, named.most_common(3)
