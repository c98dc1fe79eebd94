"""Plans of trained builds: what they share with untrained ones, and what they do not."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest

from countersample import MANIFEST, WRITTEN
from spokeshave.build.pgo import use
from spokeshave.build.pgo.bundle import write_bundle
from spokeshave.build.pgo.fit import fit_key
from spokeshave.build.pgo.plans import bundle_of, instrumented, is_instrumented, trained
from spokeshave.build.pgo.use import choose, provide
from spokeshave.build.plan import make_plan
from spokeshave.errors import RecipeError, TrainError
from spokeshave.inside.model import BuildPlan, Level, Target
from spokeshave.recipes.book import Loaded, RecipeBook
from spokeshave.recipes.verify_schema import BundleTable, TrainingTable
from support import RECIPES, TOOL, WHERE, needs_compiler, shipped_plan

TABLE = TrainingTable.model_validate({"level": "O2"})
BUNDLE = BundleTable(file="training/lean.tar.xz", sha256="c" * 64)
UNTOLD = "Wno-missing-profile"
COUNTED = (
    f"#project#source#build#f.so.p#{'0f' * 20}_site-packages_numpy_f2py_src_fortranobject.c.gcda",
    "#project#source#build#_cyutility.so.p#meson-generated_..__cyutility.c.gcda",
    "#project#source#build#numpy#lib.so.p#meson-generated_lib.pyx.c.gcda",
    "#project#source#build#numpy#random#mt.so.p#src_mt19937_mt19937.c.gcda",
)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """numpy's recipe with a training that has no bundle yet."""
    found = RecipeBook([RECIPES]).load("numpy")
    table = TrainingTable.model_validate({})
    return replace(found, recipe=found.recipe.model_copy(update={"training": table}))


@pytest.fixture(scope="module")
def plain(loaded: Loaded) -> BuildPlan:
    return planned(loaded, without=frozenset({"link-time"}))


def planned(loaded: Loaded, without: frozenset[str] = frozenset()) -> BuildPlan:
    profile = RecipeBook([RECIPES]).profile("lean")
    libraries = (shipped_plan("openblas"),)
    return make_plan(loaded, profile, Target(), WHERE, tool=TOOL, libraries=libraries, without=without)


def test_a_recipe_without_bundles_has_the_plans_that_it_had(loaded: Loaded, plain: BuildPlan) -> None:
    found, words = choose(loaded, plain)
    assert found is plain
    assert "numpy" in words and "without a PGO profile: its recipe has none" in words
    untrained = RecipeBook([RECIPES]).load("openblas")
    assert choose(untrained, shipped_plan("openblas"))[1] == "", "a recipe that is never trained says nothing"


def test_every_compile_counts_and_nothing_else_changes(loaded: Loaded, plain: BuildPlan) -> None:
    counting = instrumented(plain, loaded.recipe, TABLE)
    assert is_instrumented(counting)
    assert not is_instrumented(plain)
    assert "fprofile-generate=" in counting.compile.fixes[-1].level
    assert counting.compile_key != plain.compile_key
    assert plain.budget
    assert replace(counting, compile=plain.compile, budget=plain.budget) == plain


def test_a_build_that_counts_may_be_of_any_size(loaded: Loaded, plain: BuildPlan) -> None:
    """numpy's is 20.3 MB where lean allows 12.6."""
    assert instrumented(plain, loaded.recipe, TABLE).budget is None


def test_fortran_does_not_count(loaded: Loaded, plain: BuildPlan) -> None:
    fortran, other = instrumented(plain, loaded.recipe, TABLE).compile.fixes
    assert "fprofile-generate" not in fortran.level, "the counters' library needs a C header"
    assert "-include" in other.level
    assert ".f90" in fortran.match


def test_rows_of_the_recipe_get_the_flags_too(loaded: Loaded, plain: BuildPlan) -> None:
    """The launcher takes the first row that fits."""
    own = Level(match="*/odd.c", level="fno-strict-aliasing", reason="as upstream")
    fixed = replace(plain, compile=replace(plain.compile, fixes=(own,)))
    rows = trained(fixed, loaded.recipe, TrainingTable.model_validate({}), BUNDLE, COUNTED).compile.fixes
    assert [row.match for row in rows] == ["*/odd.c", "*"]
    assert all("fprofile-use=" in row.level and "fprofile-partial-training" in row.level for row in rows)
    assert rows[0].level.startswith("fno-strict-aliasing -fprofile-use")


def test_what_is_small_without_training_stays_so_where_little_ran(loaded: Loaded, plain: BuildPlan) -> None:
    """What the recipe names for speed is compiled as without training where that missed it."""
    table = TrainingTable.model_validate({"level": "O2", "untrained": ("*/loops.c",)})
    *named, last = trained(plain, loaded.recipe, table, BUNDLE, COUNTED).compile.fixes
    levels = [row.match for row in plain.compile.levels]
    assert levels
    assert [row.match for row in named] == ["*/loops.c", *levels]
    assert all("fprofile-partial-training" in row.level for row in named[1:])
    f2py = "*/site-packages?numpy?f2py?src?fortranobject.c"
    assert last.match == f"*/?cyutility.c|*/lib.pyx.c|{f2py}|*/src?mt19937?mt19937.c"
    assert last.level.startswith("O2 -fprofile-use=")
    assert "fprofile-partial-training" not in last.level
    assert "hot-bb-count-fraction" in last.level


def test_what_never_ran_is_small_where_the_recipe_says_so(loaded: Loaded, plain: BuildPlan) -> None:
    """Sources that are small without training are told the same as ever."""
    rows = {}
    for words in ({}, {"unreached": "small"}, {"unreached": "small", "reach": ("numpy/_core",)}):
        table = TrainingTable.model_validate({"level": "O2", **words})
        first, *_, last = trained(plain, loaded.recipe, table, BUNDLE, COUNTED).compile.fixes
        rows[len(words)] = (first.level, last.level)
    assert "fprofile-partial-training" in rows[0][0]
    told = rows[0][0].removesuffix(" -fprofile-partial-training")
    assert rows[1][0] == rows[2][0] == told.replace("/kit/training ", "/kit/training/reached ") != told
    assert rows[0][1] == rows[1][1] == rows[2][1]


@needs_compiler
@pytest.mark.parametrize("words", [{}, {"level": "O2"}])
def test_trained_profile_data_of_another_function_are_a_warning(
    loaded: Loaded, plain: BuildPlan, tmp_path: Path, words: dict[str, str]
) -> None:
    table = TrainingTable.model_validate(words)
    flags = f"-{trained(plain, loaded.recipe, table, BUNDLE, COUNTED).compile.fixes[-1].level}"

    def compiled(source: str, *options: str) -> str:
        (tmp_path / "a.c").write_text(source)
        argv = ("gcc", "-O2", *options, "-c", "a.c", "-o", "a.o")
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    source = "int main(int c, char **v) { int s = 0; while (c--) s += *v[c]; return s == -1; }\n"
    compiled(source, f"-fprofile-generate={tmp_path}")
    subprocess.run(["gcc", "--coverage", "a.o", "-o", "a"], cwd=tmp_path, check=True)
    subprocess.run(["./a"], cwd=tmp_path, check=True)
    use = flags.replace("/project/kit/training", str(tmp_path)).split()
    assert compiled(source, *use) == ""
    assert "[-Wcoverage-mismatch]" in compiled(source.replace("s += *v[c]", "if (c) s += *v[c]"), *use)


def test_what_has_no_counters_is_compiled_as_without_training(loaded: Loaded, plain: BuildPlan) -> None:
    table = TrainingTable.model_validate({"level": "Ofast"})
    found = trained(plain, loaded.recipe, table, BUNDLE, COUNTED).compile
    assert found.flags == plain.compile.flags
    (row,) = (row for row in found.fixes if row.level.startswith("Ofast"))
    sources = ("/project/source/build/numpy/lib.so.p/numpy/lib.pyx.c", "/project/source/numpy/other.c")
    assert [any(fnmatch(path, match) for match in row.match.split("|")) for path in sources] == [True, False]


def test_what_counts_is_compiled_at_the_level_of_the_training(loaded: Loaded, plain: BuildPlan) -> None:
    level = f"-{loaded.recipe.build.level}"
    assert plain.compile.flags["c"][0] == level
    table = TrainingTable.model_validate({"level": "Ofast"})
    flags = instrumented(plain, loaded.recipe, table).compile.flags
    assert flags["c"] == ("-Ofast", *plain.compile.flags["c"][1:])


@pytest.mark.parametrize(
    ("package", "profile"),
    [
        *itertools.product(("numpy", "scipy", "pandas", "scikit-learn"), ("lean", "sklearn")),
        ("numpy", "full"),
    ],
)
def test_the_bundles_that_come_with_recipes_fit(package: str, profile: str) -> None:
    """They fit one state of patches, flags and reasons of a recipe: who edits those trains again."""
    recipe = RecipeBook([RECIPES]).load(package).recipe
    assert bundle_of(shipped_plan(package, profile), recipe.training)


def test_a_row_of_the_recipe_keeps_its_level(loaded: Loaded, plain: BuildPlan) -> None:
    own = Level(match="*/odd.c", level="O3", reason="as upstream")
    fixed = replace(plain, compile=replace(plain.compile, fixes=(own,)))
    with pytest.raises(RecipeError, match=r"replace -O3 of \*/odd\.c"):
        trained(fixed, loaded.recipe, TABLE, BUNDLE, COUNTED)
    table = TABLE.model_copy(update={"untrained": ("*/odd.c",)})
    first, *_ = trained(fixed, loaded.recipe, table, BUNDLE, COUNTED).compile.fixes
    assert first.level.startswith("O3 ")


def test_a_profile_at_another_level_is_not_counted_in() -> None:
    """What it counts at another level than it says would fit no build."""
    fast = shipped_plan("pandas", without=frozenset({"optimisation"}))
    with pytest.raises(TrainError, match="does not compile pandas at -Os"):
        instrumented(fast, RecipeBook([RECIPES]).load("pandas").recipe, TABLE)


def test_the_bundle_is_part_of_the_digest(loaded: Loaded, plain: BuildPlan) -> None:
    other = BundleTable(file=BUNDLE.file, sha256="d" * 64)
    one, two = (trained(plain, loaded.recipe, TABLE, row, COUNTED) for row in (BUNDLE, other))
    assert len({plain.digest, one.digest, two.digest}) == 3
    assert len({plain.recipe_digest, one.recipe_digest, two.recipe_digest}) == 3
    table = TrainingTable.model_validate({"bundles": (other, BUNDLE)})
    assert bundle_of(one, table) == BUNDLE
    assert bundle_of(plain, table) is None


def pinned(loaded: Loaded, folder: Path, fits: str) -> Loaded:
    """The recipe with a bundle that fits a key."""
    manifest = MANIFEST.model_copy(update={"fits": fits, "compiler": "B42*"})
    sha256 = write_bundle(folder / "training" / "lean.tar.xz", manifest, {"#a.gcda": WRITTEN})
    row = BundleTable(file="training/lean.tar.xz", sha256=sha256)
    recipe = loaded.recipe.model_copy(update={"training": TABLE.model_copy(update={"bundles": (row,)})})
    return replace(loaded, recipe=recipe, folder=folder)


def test_sources_may_be_told_nothing(loaded: Loaded, plain: BuildPlan) -> None:
    """A loop that training did not reach, in a function that it did, would count as cold."""
    own = Level(match="*/loops.c", level="fno-strict-aliasing", reason="as upstream")
    fixed = replace(plain, compile=replace(plain.compile, fixes=(own,)))
    table = TABLE.model_copy(update={"untrained": ("*/loops.c", "*.dispatch.c")})
    rows = {
        row.match: row.level for row in trained(fixed, loaded.recipe, table, BUNDLE, COUNTED).compile.fixes
    }
    assert "fprofile-use=" in list(rows.values())[-1]
    assert rows["*/loops.c"] == "fno-strict-aliasing -Wno-missing-profile"
    assert rows["*.dispatch.c"] == "Wno-missing-profile"
    assert fit_key(plain, table) == fit_key(plain, TABLE)


def test_a_bundle_that_fits_is_taken(loaded: Loaded, plain: BuildPlan, tmp_path: Path) -> None:
    recipe = pinned(loaded, tmp_path, fit_key(plain, TABLE))
    where = replace(plain.environment, toolchain={"gcc-14": "14.2.0-19"})
    found, said = choose(recipe, replace(plain, environment=where))
    assert bundle_of(found, recipe.recipe.training)
    assert "with the PGO profile training/lean.tar.xz (2 of 3 functions)" in said
    (tmp_path / "kit").mkdir()
    provide(recipe, found, tmp_path / "kit")
    names = [path.name for path in (tmp_path / "kit" / "training").iterdir()]
    assert sorted(names) == ["#a.gcda", "default.profdata"], "the counters, and what ccache looks for"


def test_a_bundle_that_is_gone_is_told(loaded: Loaded, plain: BuildPlan, tmp_path: Path) -> None:
    recipe = pinned(loaded, tmp_path, fit_key(plain, TABLE))
    (tmp_path / "training" / "lean.tar.xz").unlink()
    with pytest.raises(RecipeError, match="cannot be used"):
        choose(recipe, plain)


def test_choose_all_library_with_pgo_profile_gives_users_its_new_key(
    plain: BuildPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = shipped_plan("openblas")
    changed = replace(library, compile=replace(library.compile, pgo="0" * 64))

    def choose_one(loaded: Loaded, plan: BuildPlan) -> tuple[BuildPlan, str]:
        return (changed, "openblas: with a PGO profile") if plan.recipe == "openblas" else (plan, "")

    monkeypatch.setattr(use, "choose", choose_one)
    found = use.choose_all(RecipeBook([RECIPES]).load, (library, plain))
    assert plain.compile.libraries == {"slim-openblas": library.compile_key}
    assert found.plans[0] is changed
    assert found.plans[1].compile.libraries == {"slim-openblas": changed.compile_key}
    assert found.notes == {"openblas": "openblas: with a PGO profile"}
