"""Which builds a PGO profile fits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from countersample import MANIFEST
from spokeshave.build.pgo.fit import fit_key, fitting, gcc_stamp
from spokeshave.build.pgo.plans import instrumented
from spokeshave.build.plan import make_plan
from spokeshave.inside.model import BuildPlan
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.verify_schema import BundleTable, TrainingTable
from support import RECIPES, TARGET, TOOL, WHERE, shipped_plan

BOOK = RecipeBook([RECIPES])
RECIPE = BOOK.load("numpy").recipe
ROW = BundleTable(file="training/lean.tar.xz", sha256="c" * 64)
TABLE = TrainingTable.model_validate({"level": "O2", "bundles": (ROW,)})
GCC_14_2 = replace(WHERE, toolchain={"gcc-14": "14.2.0-19"})


def planned(without: frozenset[str] = frozenset()) -> BuildPlan:
    libraries = (shipped_plan("openblas"),)
    return make_plan(
        BOOK.load("numpy"),
        BOOK.profile("lean"),
        TARGET,
        GCC_14_2,
        tool=TOOL,
        libraries=libraries,
        without=without,
    )


@pytest.fixture(scope="module")
def plan() -> BuildPlan:
    return planned()


def fits(profile_of: str, plan: BuildPlan, *, anywhere: bool = False) -> bool:
    """Whether the PGO profile of a key, collected with gcc 14.2, fits a plan."""
    manifest = MANIFEST.model_copy(update={"fits": profile_of, "compiler": "B42*"})
    found = fitting(plan, TABLE, {ROW.file: manifest}, anywhere=anywhere)
    assert found in (None, ROW)
    return found is not None


def test_fitting_the_same_build_fits(plan: BuildPlan) -> None:
    assert fits(fit_key(plan, TABLE), plan)


@pytest.mark.parametrize("what", ["source", "patches", "flags"])
def test_fitting_other_source_patches_or_flags_do_not_fit(plan: BuildPlan, what: str) -> None:
    flags = {**plan.compile.flags, "c": ("-O1",)}
    other = {
        "source": replace(plan, source={**plan.source, "sha256": "0" * 64}),
        "patches": replace(plan, patches={}),
        "flags": replace(plan, compile=replace(plan.compile, flags=flags)),
    }[what]
    assert not fits(fit_key(plan, TABLE), other)


@pytest.mark.parametrize("versions", [{"gcc-13": "13.2.0-1"}, {"gcc-14": "14.3.0-1"}, {}])
def test_fitting_another_release_of_gcc_fits_only_anywhere(plan: BuildPlan, versions: dict[str, str]) -> None:
    elsewhere = replace(plan, environment=replace(GCC_14_2, toolchain=versions))
    key = fit_key(plan, TABLE)
    assert not fits(key, elsewhere)
    assert fits(key, elsewhere, anywhere=True)


def test_fitting_another_image_with_the_same_gcc_fits(plan: BuildPlan) -> None:
    versions = {"gcc-14": "14.2.0-20", "libc6-dev": "2.31-13+deb11u15"}
    elsewhere = replace(plan, environment=replace(GCC_14_2, image_digest="sha256:2", toolchain=versions))
    assert fits(fit_key(plan, TABLE), elsewhere)


@pytest.mark.parametrize(
    ("version", "stamp"),
    [("14.2.0-19", "B42*"), ("9.4.0-1", "A94*"), ("12.2.0-14+deb12u1", "B22*"), ("", "")],
)
def test_gcc_stamp_is_the_one_in_profile_data(version: str, stamp: str) -> None:
    assert gcc_stamp(replace(GCC_14_2, toolchain={"gcc-14": version, "gcc-14-base": "1.1.1"})) == stamp


def test_fitting_another_level_does_not_fit(plan: BuildPlan) -> None:
    """gcc counts what its first optimisations leave: profile data of another level do not match."""
    level = TABLE.model_copy(update={"level": ""})
    assert not fits(fit_key(plan, level), plan)


def test_fit_key_link_time_optimization_has_no_say(plan: BuildPlan) -> None:
    """gcc reads profile data before it writes what the linker gets."""
    other = planned(without=frozenset({"link-time"}))
    assert ("-flto=auto" in plan.compile.flags["c"]) and "-flto=auto" not in other.compile.flags["c"]
    assert fit_key(other, TABLE) == fit_key(plan, TABLE)
    assert instrumented(other, RECIPE, TABLE).compile == instrumented(plan, RECIPE, TABLE).compile


def test_fit_key_tests_that_show_what_runs_count_where_the_rest_is_small(plan: BuildPlan) -> None:
    tables = [
        TrainingTable.model_validate({"unreached": "small", "reach": reach})
        for reach in ((), ("numpy/_core",), ("numpy/lib",))
    ]
    assert len({fit_key(plan, table) for table in tables}) == 3
    kept = TrainingTable.model_validate({})
    assert fit_key(plan, kept) != fit_key(plan, tables[0])
    with pytest.raises(ValueError, match="unreached = 'small'"):
        TrainingTable.model_validate({"reach": ("numpy/_core",)})


def test_fit_key_patch_that_the_recipe_calls_unchanging_has_no_say() -> None:
    """A patch of C or build files that leaves docstrings out: profile data fit with and without it."""
    loaded = RecipeBook([RECIPES]).load("scipy")
    table = loaded.recipe.training
    assert table
    plan = shipped_plan("scipy")
    (patch,) = table.unchanging
    kept = {name: digest for name, digest in plan.patches.items() if name != patch}
    files = {name: text for name, text in plan.compile.files.items() if name != patch}
    other = replace(plan, patches=kept, compile=replace(plan.compile, files=files))
    assert patch in plan.patches and fit_key(plan, table) == fit_key(other, table)
    assert fit_key(plan, table.model_copy(update={"unchanging": ()})) != fit_key(other, table)
