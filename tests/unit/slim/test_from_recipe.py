"""A recipe's rows, components and patches on a PyPI wheel of a version that it lists, or does not."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.errors import RecipeError
from spokeshave.recipes.book import RecipeBook
from spokeshave.slim.intake import read_stock
from spokeshave.slim.make_wheel import Known, slim
from spokeshave.slim.model import DEFAULT_LEVERS, ON_REQUEST, Settings, Slimmed
from spokeshave.slim.recipe_use import RecipeUse, Wish, find_use
from support import demo_files, write_wheel

RECIPE = """
schema = 1
name = "demo"
distribution = "demo"
import-name = "demo"
summary = "A package for tests"
license = "MIT"

[[versions]]
version = "1.0"
requires-python = ">=3.11"
source = { pypi = "demo", sha256 = "SHA" }
patches = ["bare.patch", "compiled.patch"]

[build]
backend = "meson-python"
requires = "lock.txt"

[levers.tests]
match = ["demo/_helper.py"]
keep = ["demo/tests/base.py"]

[levers.test-modules]
match = ["demo/_test_only.*.so"]

[levers.typing]
keep = ["demo/kept.pyi"]

[levers.indentation]
off = ["the demo reads its own source"]

[[components]]
name = "extra"
summary = "what few need"
modules = ["demo.extra"]
patches = ["extra.patch"]

[[components]]
name = "data"
summary = "a table"
files = ["demo/table.csv"]

[[components]]
name = "needed"
summary = "compiled code needs it"
modules = ["demo.needed"]
needed-by-pypi = true

[[components]]
name = "smaller"
summary = "has variants"
modules = ["demo.smaller"]
variants = ["demo/_small"]

[[components]]
name = "texts"
summary = "docstrings that are assembled"
patches = ["texts.patch"]

[[bundled]]
name = "Other"
version = "3"
license = "MIT"
license-file = "other/LICENSE"
source = "vendored"

[verify]
requires = "lock.txt"
core = ["demo/tests"]
""".replace("SHA", "0" * 64)
PROFILE = """
schema = 1
name = "small"
summary = "for tests"

[[remove]]
component = "demo/extra"
reason = "nobody needs it here"
"""


def patch(name: str, old: str, new: str) -> str:
    return f"Why.\n\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-{old}\n+{new}\n"


PATCHES = {
    "bare.patch": patch("demo/bare.py", "text = __doc__.upper()", "text = (__doc__ or '').upper()"),
    "compiled.patch": patch("demo/core.pyx", "x", "y"),
    "extra.patch": patch("demo/__init__.py", "value = 1", "value = 2"),
    "texts.patch": patch("demo/texts.py", "text = 1", "text = 0"),
}
FILES = {
    "demo/bare.py": b"text = __doc__.upper()\n",
    "demo/texts.py": b"text = 1\n",
    "demo/extra/__init__.py": b"more = 1\n",
    "demo/extra/tests/test_extra.py": b"",
    "demo/needed.py": b"",
    "demo/smaller.py": b"",
    "demo/table.csv": b"1,2\n",
    "demo/_helper.py": b"",
    "demo/_test_only.cpython-311-x86_64-linux-gnu.so": b"no ELF",
    "demo/tests/base.py": b"",
    "demo/tests/test_it.py": b"",
    "demo/kept.pyi": b"",
    "demo/kept.py": b"",
    "demo/other.pyi": b"",
    "demo/other.py": b'def f():\n    """Text."""\n    return 1\n',
    "demo/names.py": b"folder = __file__ + 'tests'\n",
}


@pytest.fixture
def book(tmp_path: Path) -> RecipeBook:
    folder = tmp_path / "recipes"
    (folder / "demo").mkdir(parents=True)
    (folder / "profiles").mkdir()
    (folder / "profiles" / "small.toml").write_text(PROFILE)
    files = {"recipe.toml": RECIPE, "lock.txt": "pytest==9.0.0 --hash=sha256:00\n", **PATCHES}
    for name, text in files.items():
        (folder / "demo" / name).write_text(text)
    return RecipeBook([folder])


def use_of(book: RecipeBook, wheel: Path, settings: Settings, wish: Wish | None = None) -> RecipeUse | None:
    return find_use(book, read_stock(wheel), settings, wish or Wish())


def wheel_of(
    folder: Path, files: dict[str, bytes] | None = None, version: str = "1.0", tag: str = "cp311"
) -> Path:
    content = {**demo_files(version=version), **FILES, **(files or {})}
    return write_wheel(folder / f"demo-{version}-{tag}-{tag}-manylinux_2_28_x86_64.whl", content)


def made(
    book: RecipeBook,
    folder: Path,
    *,
    wish: Wish | None = None,
    settings: Settings | None = None,
    files: dict[str, bytes] | None = None,
    version: str = "1.0",
) -> Slimmed:
    settings = settings or Settings()
    wheel = wheel_of(folder, files, version)
    use = use_of(book, wheel, settings, wish)
    assert use
    (folder / "work").mkdir()
    known = Known(recipe=use)
    return slim(read_stock(wheel), settings, output=folder / "out", scratch=folder / "work", known=known)


def content(slimmed: Slimmed) -> dict[str, str]:
    with zipfile.ZipFile(slimmed.wheel) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def notes(slimmed: Slimmed) -> str:
    return "\n".join(note for row in slimmed.savings for note in row.notes)


def saved(slimmed: Slimmed) -> set[str]:
    return {row.lever for row in slimmed.savings if row.files}


def test_recipe_listed_version_has_its_rows(book: RecipeBook, tmp_path: Path) -> None:
    slimmed = made(book, tmp_path)
    names = set(content(slimmed))
    assert not names & {"demo/_helper.py", "demo/tests/test_it.py", "demo/other.pyi"}
    assert not [name for name in names if "_test_only" in name]
    assert {"demo/tests/base.py", "demo/kept.pyi", "demo/extra/__init__.py"} <= names
    assert slimmed.tests
    with zipfile.ZipFile(slimmed.tests) as archive:
        assert "demo/tests/test_it.py" in archive.namelist()
        assert "demo/_test_only.cpython-311-x86_64-linux-gnu.so" in archive.namelist()
    assert "match nothing" not in notes(slimmed)


def test_recipe_sbom_names_it_and_the_bundled_code(book: RecipeBook, tmp_path: Path) -> None:
    files = content(made(book, tmp_path, wish=Wish(remove=("demo/extra",))))
    sbom = json.loads(files["demo-1.0+slim.1.dist-info/sboms/spokeshave.cdx.json"])
    rows = {row["name"]: row["value"] for row in sbom["metadata"]["component"]["properties"]}
    assert (rows["spokeshave:recipe"], rows["spokeshave:removed"]) == ("demo", "demo.extra")
    assert [one["name"] for one in sbom["components"]] == ["Other"]


def test_recipe_removed_component_leaves_a_stub_and_its_patch(book: RecipeBook, tmp_path: Path) -> None:
    slimmed = made(book, tmp_path, wish=Wish(remove=("demo/extra", "demo/data")))
    files = content(slimmed)
    assert files["demo/__init__.py"] == "value = 2\n"
    assert "demo.extra is not in this wheel of demo (1.0+slim.1)" in files["demo/extra.py"]
    assert "demo/table.csv" not in files
    assert {"component extra", "component data"} <= saved(slimmed)
    assert (slimmed.removals.stubs, slimmed.removals.patched) == (("demo.extra",), ("demo",))


def test_recipe_profile_removes_with_its_reason(book: RecipeBook, tmp_path: Path) -> None:
    files = content(made(book, tmp_path, wish=Wish(profile="small")))
    assert "removes component 'extra' (nobody needs it here)" in files["demo/extra.py"]


@pytest.mark.parametrize(
    ("component", "why"),
    [
        ("needed", "compiled code of the PyPI wheel needs it"),
        ("smaller", "its smaller modules have to be compiled"),
    ],
)
def test_recipe_component_that_needs_a_compile_is_kept(
    book: RecipeBook, tmp_path: Path, component: str, why: str
) -> None:
    slimmed = made(book, tmp_path, wish=Wish(remove=(f"demo/{component}",)))
    assert f"component demo/{component} is kept: {why}" in notes(slimmed)
    assert f"demo/{component}.py" in content(slimmed)
    assert slimmed.removals.stubs == ()


def test_recipe_patch_that_does_not_fit_keeps_the_component(book: RecipeBook, tmp_path: Path) -> None:
    slimmed = made(
        book, tmp_path, wish=Wish(remove=("demo/extra",)), files={"demo/__init__.py": b"value = 7\n"}
    )
    assert "component demo/extra is kept: patch extra.patch: hunk 1 of demo/__init__.py" in notes(slimmed)
    assert content(slimmed)["demo/__init__.py"] == "value = 7\n"
    assert "demo/extra/__init__.py" in content(slimmed)


def test_recipe_absent_module_keeps_the_component(book: RecipeBook, tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        files = {n: archive.read(n) for n in archive.namelist() if "extra" not in n and "RECORD" not in n}
    write_wheel(wheel, files)
    settings = Settings()
    use = use_of(book, wheel, settings, Wish(remove=("demo/extra",)))
    (tmp_path / "work").mkdir()
    slimmed = slim(
        read_stock(wheel),
        settings,
        output=tmp_path / "out",
        scratch=tmp_path / "work",
        known=Known(recipe=use),
    )
    assert "component demo/extra is kept: the wheel has no demo.extra" in notes(slimmed)
    assert content(slimmed)["demo/__init__.py"] == "value = 1\n"


def test_recipe_docstrings_bring_their_patches(book: RecipeBook, tmp_path: Path) -> None:
    settings = Settings(levers=(*DEFAULT_LEVERS, *ON_REQUEST))
    slimmed = made(book, tmp_path, settings=settings)
    files = content(slimmed)
    assert files["demo/bare.py"] == "text = (__doc__ or '').upper()\n"
    assert files["demo/texts.py"] == "text = 0\n"
    assert "Text." not in files["demo/other.py"]
    assert "off: the demo reads its own source" in notes(slimmed)
    assert "indentation" not in saved(slimmed)


def test_recipe_default_levers_change_no_module(book: RecipeBook, tmp_path: Path) -> None:
    files = content(made(book, tmp_path))
    for name in ("demo/bare.py", "demo/texts.py", "demo/other.py"):
        assert files[name].encode() == FILES[name]


def test_recipe_unlisted_version_is_said_and_keeps_needed_tests(book: RecipeBook, tmp_path: Path) -> None:
    files = {
        "demo/bare.py": b"text = 'another version'\n",
        "demo/user.py": b"from demo._helper import x\n",
        "demo/deep/__init__.py": b"from demo.deep.tests import common\n",
        "demo/deep/tests/__init__.py": b"",
        "demo/deep/tests/common.py": b"",
    }
    settings = Settings(levers=(*DEFAULT_LEVERS, "docstrings"))
    slimmed = made(book, tmp_path, version="2.0", files=files, settings=settings)
    names = content(slimmed)
    assert "recipe demo lists 1.0, not 2.0" in notes(slimmed)
    assert "patch bare.patch" in notes(slimmed)
    assert {"demo/_helper.py", "demo/deep/tests/common.py"} <= set(names)
    assert "demo/_helper.py is kept: demo/user.py:1 imports demo._helper.x" in notes(slimmed)
    assert "demo/tests/test_it.py" not in names
    assert sum(row.saved for row in slimmed.savings if row.lever == "tests") >= 0


def test_recipe_patterns_without_a_file_are_said(book: RecipeBook, tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path)
    use = use_of(book, wheel, Settings())
    assert use
    levers = tuple(
        replace(one, options={"match": ("demo/gone.py",)}) if one.name == "tests" else one
        for one in use.plan.levers
    )
    known = Known(recipe=replace(use, plan=replace(use.plan, levers=levers)))
    (tmp_path / "work").mkdir()
    slimmed = slim(
        read_stock(wheel), Settings(), output=tmp_path / "out", scratch=tmp_path / "work", known=known
    )
    assert "patterns of the recipe match nothing: demo/gone.py" in notes(slimmed)


def test_recipe_switched_off_or_for_other_pythons_is_not_used(book: RecipeBook, tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path)
    assert use_of(book, wheel, Settings(), Wish(off=True)) is None
    assert use_of(book, wheel_of(tmp_path, tag="cp310"), Settings()) is None
    for tag in ("cp311", "cp313"):
        use = use_of(book, wheel_of(tmp_path, tag=tag), Settings())
        assert use and use.plan.target.python == tag


@pytest.mark.parametrize(("name", "hint"), [("dem/extra", "demo"), ("demo/extr", "extra")])
def test_recipe_unknown_component_is_an_error(book: RecipeBook, tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(RecipeError) as fault:
        use_of(book, wheel_of(tmp_path), Settings(), Wish(remove=(name,)))
    assert hint in fault.value.next_step
