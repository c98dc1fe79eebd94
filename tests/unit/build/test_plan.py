"""Plans: pure, deterministic, and with keys that change exactly when what they stand for changes."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build.plan import make_plan
from spokeshave.errors import RecipeError
from spokeshave.inside.levers import LEVERS
from spokeshave.inside.model import Target, digest_of, plan_from_json
from spokeshave.recipes.book import RecipeBook
from support import RECIPES, TOOL, WHERE, shipped_plan

COMPILE_LEVERS = [lever.name for lever in LEVERS if lever.shave is None]
WHEEL_LEVERS = [lever.name for lever in LEVERS if lever.shave is not None]


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    """A copy of the shipped recipes, to be changed."""
    return Path(shutil.copytree(RECIPES, tmp_path / "recipes"))


def edit(file: Path, old: str, new: str) -> None:
    """Replaces the one place that a regular expression fits."""
    text, count = re.subn(old, new, file.read_text())
    assert count == 1, f"{old!r} fits {count} times in {file}"
    file.write_text(text)


def test_planning_twice_gives_the_same() -> None:
    first, second = shipped_plan("numpy"), shipped_plan("numpy")
    assert first == second
    assert (first.digest, first.compile_key) == (second.digest, second.compile_key)


def test_planning_reads_no_file(recipes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = RecipeBook([recipes])
    loaded, profile = book.load("openblas"), book.profile("lean")
    shutil.rmtree(recipes)
    monkeypatch.chdir("/")
    plan = make_plan(loaded, profile, Target(), WHERE, tool=TOOL)
    assert plan == shipped_plan("openblas")


def test_what_a_plan_says() -> None:
    plan = shipped_plan("numpy")
    blas = shipped_plan("openblas")
    assert plan.local_version == f"{plan.version}+lean.1"
    assert plan.libraries == {"slim-openblas": blas.local_version}
    assert plan.sonames == ("libopenblas_slim.so.0",)
    assert plan.compile.libraries == {"slim-openblas": blas.compile_key}
    assert plan.compile.settings["setup-args"]["allow-noblas"] == "false"
    assert "-fno-unwind-tables" in blas.compile.flags["c"]
    assert "-fno-unwind-tables" not in blas.compile.flags["cxx"], "C++ needs its tables to throw"
    assert blas.compile.settings["variables"]["DYNAMIC_LIST"] == "HASWELL SKYLAKEX"
    assert blas.source["pypi"] == "cmeel-openblas"


def test_link_time_optimisation_leaves_alone_what_the_recipe_says() -> None:
    loaded = RecipeBook([RECIPES]).load("numpy")
    profile = RecipeBook([RECIPES]).profile("lean")
    libraries = (shipped_plan("openblas"),)
    plan, without = (
        make_plan(loaded, profile, Target(), WHERE, tool=TOOL, libraries=libraries, without=off)
        for off in (frozenset[str](), frozenset({"link-time"}))
    )
    assert "-flto=auto" in plan.compile.flags["cxx"]
    assert {row.level for row in plan.compile.fixes} == {"fno-lto"}
    assert "*/loops.c" in {row.match for row in plan.compile.fixes}
    assert not without.compile.fixes
    assert not any("lto" in flag for flags in without.compile.flags.values() for flag in flags)


def test_a_baseline_is_for_its_architecture_alone() -> None:
    assert "-march=x86-64-v2" in shipped_plan("pandas").compile.flags["c"]
    arm = make_plan(
        RecipeBook([RECIPES]).load("pandas"),
        RecipeBook([RECIPES]).profile("lean"),
        Target(arch="aarch64"),
        WHERE,
        tool=TOOL,
    )
    assert not any("march" in flag for flags in arm.compile.flags.values() for flag in flags)


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        ('versions = ">=2.4"', True),
        ('versions = "<2.4"', False),
        ('arch = "x86_64"', True),
        ('arch = "aarch64"', False),
    ],
)
def test_plan_row_for_another_version_or_arch_is_not_in_it(recipes: Path, row: str, holds: bool) -> None:
    edit(recipes / "numpy/levels.toml", r'(match = "\*/umathmodule.c")', rf"\1\n{row}")
    before, after = shipped_plan("numpy"), shipped_plan("numpy", recipes=recipes)
    assert (before.compile_key == after.compile_key) is holds
    assert ("*/umathmodule.c" in {level.match for level in after.compile.levels}) is holds


@pytest.mark.parametrize("package", ["numpy", "openblas"])
def test_a_plan_survives_json(package: str) -> None:
    plan = shipped_plan(package)
    again = plan_from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert (again.digest, again.compile_key) == (plan.digest, plan.compile_key)


def _more_patch(recipes: Path) -> None:
    first = next((recipes / "openblas/patches").glob("*.patch"))
    first.write_text(first.read_text() + "--- a/more.txt\n+++ b/more.txt\n@@ -1 +1 @@\n-a\n+b\n")


# What is changed, and a regular expression that finds it in a file of the recipes.
EDITS = {
    "source hash": ("numpy/recipe.toml", r'(pypi = "numpy", sha256 = ")[0-9a-f]{8}', r"\g<1>00000000"),
    "setting": ("numpy/recipe.toml", r"\[build\.setup-args\]", '[build.setup-args]\nnew = "yes"'),
    "level": ("numpy/recipe.toml", r'(?m)^(upstream-level = .*\nlevel) = "O\d"', r'\1 = "Os"'),
    "lever off": ("profiles/lean.toml", "unwind = true", "unwind = false"),
    "lever options": ("numpy/recipe.toml", r"(\[levers\.headers\]\nkeep = \[)", r'\1"more.h", '),
    "lock": ("numpy/build-requirements.txt", "meson==", "another==1\nmeson=="),
    "build number": ("profiles/lean.toml", 'name = "lean"', 'name = "lean"\nbuild = 2'),
    "library's source": ("openblas/recipe.toml", r'(sha256 = ")[0-9a-f]{8}', r"\g<1>00000000"),
    "kernels": ("profiles/lean.toml", r"\[levers\]", '[blas]\nkernels = ["HASWELL"]\n[levers]'),
}


def apply(what: str, recipes: Path) -> None:
    if what == "library's patch":
        _more_patch(recipes)
    else:
        name, old, new = EDITS[what]
        edit(recipes / name, old, new)


@pytest.mark.parametrize("what", [*EDITS, "library's patch"])
def test_the_digest_changes_with_each_ingredient(recipes: Path, what: str) -> None:
    before = shipped_plan("numpy", recipes=recipes)
    apply(what, recipes)
    assert shipped_plan("numpy", recipes=recipes).digest != before.digest


@pytest.mark.parametrize("what", ["library's patch", "library's source", "kernels"])
def test_a_librarys_own_keys_change_too(recipes: Path, what: str) -> None:
    before = shipped_plan("openblas", recipes=recipes)
    apply(what, recipes)
    after = shipped_plan("openblas", recipes=recipes)
    assert after.digest != before.digest
    assert after.compile_key != before.compile_key


def test_the_image_and_our_own_code_are_ingredients() -> None:
    plan = shipped_plan("numpy")
    other_image = shipped_plan("numpy", where=replace(WHERE, image_digest="sha256:" + "2" * 64))
    other_finish = shipped_plan("numpy", tool={**TOOL, "finish": "0" * 64})
    other_compile = shipped_plan("numpy", tool={**TOOL, "compile": "0" * 64})
    assert len({p.digest for p in (plan, other_image, other_finish, other_compile)}) == 4
    assert other_image.compile_key != plan.compile_key
    assert other_compile.compile_key != plan.compile_key
    assert other_finish.compile_key == plan.compile_key, "finishing anew needs no new compile"


def test_profiles_that_differ_in_trimming_share_the_compile() -> None:
    lean, full = shipped_plan("openblas", "lean"), shipped_plan("openblas", "full")
    assert lean.compile_key == full.compile_key
    assert lean.digest != full.digest
    assert shipped_plan("numpy", "lean").compile_key == shipped_plan("numpy", "sklearn").compile_key
    assert shipped_plan("scipy", "lean").compile_key != shipped_plan("scipy", "full").compile_key


def test_a_recipe_may_take_a_lever_out(recipes: Path) -> None:
    assert "cython-docstrings" not in [lever.name for lever in shipped_plan("numpy").levers]
    edit(recipes / "numpy" / "recipe.toml", r"\[levers.cython-docstrings\]\noff = \[.*\]\n", "")
    assert "cython-docstrings" in [lever.name for lever in shipped_plan("numpy", recipes=recipes).levers]


@pytest.mark.parametrize("lever", WHEEL_LEVERS)
def test_without_a_lever_of_the_wheel_the_compile_stays(lever: str) -> None:
    plan = shipped_plan("numpy")
    less = shipped_plan("numpy", without=frozenset({lever}))
    assert lever in [setting.name for setting in plan.levers]
    assert lever not in [setting.name for setting in less.levers]
    assert less.compile_key == plan.compile_key
    assert less.digest != plan.digest


@pytest.mark.parametrize("lever", COMPILE_LEVERS)
def test_without_a_lever_of_the_compile_the_key_changes(lever: str) -> None:
    recipe = "numpy" if lever == "link-time" else "scipy"
    plan = shipped_plan(recipe)
    less = shipped_plan(recipe, without=frozenset({lever}))
    assert len(less.levers) == len(plan.levers) - 1
    assert less.compile_key != plan.compile_key


def test_without_optimisation_upstreams_level_holds_everywhere(recipes: Path) -> None:
    edit(recipes / "openblas/recipe.toml", 'upstream-level = "O."', 'upstream-level = "O3"')
    plan = shipped_plan("openblas", recipes=recipes)
    assert plan.compile.levels
    assert plan.compile.flags["c"][0] != "-O3"
    plain = shipped_plan("openblas", recipes=recipes, without=frozenset({"optimisation"}))
    assert plain.compile.levels == ()
    assert [plain.compile.flags[language][0] for language in ("c", "cxx", "fortran")] == ["-O3"] * 3


def test_an_unknown_lever_is_told_where_it_stands(recipes: Path) -> None:
    with pytest.raises(RecipeError, match="--without: there is no lever 'docstring'") as caught:
        shipped_plan("numpy", without=frozenset({"docstring"}))
    assert caught.value.next_step == "did you mean 'docstrings'?"
    edit(recipes / "profiles/lean.toml", "unwind = true", "unwinds = true")
    with pytest.raises(
        RecipeError, match=r"profiles/lean\.toml: levers\.unwinds: there is no lever 'unwinds'"
    ):
        shipped_plan("numpy", recipes=recipes)
    edit(recipes / "profiles/lean.toml", "unwinds = true", "unwind = true")
    edit(recipes / "numpy/recipe.toml", r"\[levers\.headers\]", "[levers.header]")
    with pytest.raises(
        RecipeError, match=r"numpy/recipe\.toml is not valid:\n  levers\.header: there is no lever"
    ):
        shipped_plan("numpy", recipes=recipes)


def test_a_digest_does_not_mind_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1})
    assert digest_of([1, 2]) != digest_of([2, 1])


def test_a_target_speaks_as_cibuildwheel_and_pip_do() -> None:
    target = Target(python="cp313")
    assert target.identifier == "cp313-manylinux_x86_64"
    assert target.python_version == "3.13"
    assert target.pip_platforms[0] == "manylinux_2_31_x86_64"
    assert "manylinux2014_x86_64" in target.pip_platforms


def test_a_profile_extends_another(recipes: Path) -> None:
    (recipes / "profiles" / "app.toml").write_text(
        'schema = 1\nname = "app"\nextends = "lean"\nsummary = "x"\n[levers]\ntyping = false\n'
        "[budgets]\nnumpy = 1\n"
    )
    book = RecipeBook([recipes])
    lean, app = book.profile("lean"), book.profile("app")
    assert {name for name in lean.levers if lean.levers[name] != app.levers[name]} == {"typing"}
    assert app.budgets == {**lean.budgets, "numpy": 1}
    assert app.blas == lean.blas


def test_a_profile_that_extends_itself_is_an_error(recipes: Path) -> None:
    for name, base in (("one", "two"), ("two", "one")):
        (recipes / "profiles" / f"{name}.toml").write_text(
            f'schema = 1\nname = "{name}"\nextends = "{base}"\nsummary = "x"\n'
        )
    with pytest.raises(RecipeError, match="extends itself"):
        RecipeBook([recipes]).profile("one")


def test_the_profile_picks_the_blas(recipes: Path) -> None:
    (recipes / "profiles" / "app.toml").write_text(
        'schema = 1\nname = "app"\nextends = "lean"\nsummary = "x"\n[blas]\nrecipe = "other"\n'
    )
    other = recipes / "other"
    shutil.copytree(recipes / "openblas", other)
    text = (other / "recipe.toml").read_text()
    text = text.replace('name = "openblas"', 'name = "other"', 1)
    (other / "recipe.toml").write_text(text.replace('blas = "openblas"', 'blas = "other"'))
    plan = shipped_plan("scipy", "app", recipes=recipes)
    assert plan.compile.settings["setup-args"]["blas"] == "other"
    (other / "recipe.toml").write_text(text.replace('provides = "blas"\n', ""))
    with pytest.raises(RecipeError, match="does not provide a BLAS"):
        shipped_plan("numpy", "app", recipes=recipes)


LIMITS = "patches/0004-name-the-limits-of-32-bit-indices.patch"


def test_plan_numpy_links_64_bit_integers_and_scipy_32_bit_ones() -> None:
    numpy, scipy = (shipped_plan(name).compile.settings["setup-args"] for name in ("numpy", "scipy"))
    assert {"blas": "openblas64", "use-ilp64": "true"}.items() <= numpy.items()
    assert scipy["blas"] == "openblas"
    assert scipy["use-ilp64"] == "false"
    assert LIMITS not in shipped_plan("numpy").patches


def test_plan_a_profile_with_lp64_alone_has_numpys_limits(recipes: Path) -> None:
    (recipes / "profiles" / "app.toml").write_text(
        'schema = 1\nname = "app"\nextends = "lean"\nsummary = "x"\n[blas]\ninterfaces = ["lp64"]\n'
    )
    numpy, blas = (shipped_plan(name, "app", recipes=recipes) for name in ("numpy", "openblas"))
    assert numpy.compile.settings["setup-args"]["blas"] == "openblas"
    assert "use-ilp64" not in numpy.compile.settings["setup-args"]
    assert LIMITS in numpy.patches
    assert blas.compile.settings["library"]["ilp64"] is None
    assert "exports-ilp64.txt" not in blas.compile.files


@pytest.mark.parametrize("profile", ["netlib", "upstreamblas"])
def test_plan_a_blas_without_64_bit_integers_has_numpys_limits(profile: str) -> None:
    numpy = shipped_plan("numpy", profile)
    assert "use-ilp64" not in numpy.compile.settings["setup-args"]
    assert LIMITS in numpy.patches


def test_plan_a_profile_without_32_bit_integers_is_an_error(recipes: Path) -> None:
    (recipes / "profiles" / "app.toml").write_text(
        'schema = 1\nname = "app"\nextends = "lean"\nsummary = "x"\n[blas]\ninterfaces = ["ilp64"]\n'
    )
    with pytest.raises(RecipeError, match="lacks lp64"):
        shipped_plan("numpy", "app", recipes=recipes)


@pytest.mark.parametrize("blas", ["openblas", "netlib"])
def test_plan_library_unlinks_symbols_that_only_a_removed_component_calls(recipes: Path, blas: str) -> None:
    row = '[[remove]]\ncomponent = "scipy/lapack-interfaces"\nreason = "nothing calls LAPACK by name"\n'
    (recipes / "profiles" / "app.toml").write_text(
        f'schema = 1\nname = "app"\nextends = "lean"\nsummary = "x"\n{row}'
    )
    whole, less = (shipped_plan(blas, profile, recipes=recipes) for profile in ("lean", "app"))
    listed = (RECIPES / "openblas" / "exports-lapack-interfaces.txt").read_text().splitlines()
    assert whole.unlinked == ()
    assert set(less.unlinked) == {name for name in listed if not name.startswith("#")}
    assert not {"dgesv_", "dgemm_", "dlartg_"} & set(less.unlinked)


def test_plan_aliases_of_symbols_that_are_not_exported_are_an_error(recipes: Path) -> None:
    edit(
        recipes / "openblas" / "recipe.toml",
        r'(symbol = "scipy_\{\}", exports = )"exports-stack',
        r'\1"exports-x',
    )
    with pytest.raises(RecipeError, match=r"exports-x\.txt is not one of exports"):
        shipped_plan("openblas", recipes=recipes)


def test_plan_symbol_of_a_component_that_is_not_exported_is_an_error(recipes: Path) -> None:
    path = recipes / "openblas" / "exports-lapack-interfaces.txt"
    path.write_text(f"{path.read_text()}\ndgesvv_\n")
    with pytest.raises(
        RecipeError, match=r"exports-lapack-interfaces\.txt names dgesvv_, which no"
    ) as caught:
        shipped_plan("openblas", recipes=recipes)
    assert str(recipes / "openblas" / "recipe.toml") in caught.value.what


def test_profile_removal_from_an_unknown_recipe_is_an_error(recipes: Path) -> None:
    edit(recipes / "profiles/lean.toml", "scipy/assembled-docstrings", "scypi/assembled-docstrings")
    with pytest.raises(RecipeError, match="there is no recipe 'scypi'") as caught:
        RecipeBook([recipes]).profile("lean")
    assert caught.value.next_step and "'scipy'" in caught.value.next_step


def test_symbols_go_with_components_that_exist() -> None:
    book = RecipeBook([RECIPES])
    loaded = [book.load(name) for name in book.names()]
    components = {f"{one.recipe.name}/{part.name}" for one in loaded for part in one.recipe.components}
    named = {row.component for one in loaded if (lib := one.recipe.build.library) for row in lib.without}
    assert named and named <= components
