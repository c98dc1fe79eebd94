"""Profiles that differ in the components that they remove share one compile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from spokeshave.build import pipeline, workdir
from spokeshave.build.pgo.fit import fit_key
from spokeshave.build.plan import make_plan
from spokeshave.context import Context
from spokeshave.inside.model import BuildPlan, Removed
from spokeshave.inside.wheel import parse_name
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.schema import Profile, RemoveTable
from spokeshave.recipes.select import library_names
from spokeshave.sources.fetch import Fetched
from support import RECIPES, TARGET, TOOL, WHERE, demo_files, make_context, shipped_plan, write_wheel

BOOK = RecipeBook([RECIPES])
LEAN = BOOK.profile("lean")
WITH_COMPONENTS = [name for name in BOOK.names() if BOOK.load(name).recipe.components]
LAPACK = "scipy/lapack-interfaces"


def removing(*components: str) -> Profile:
    """Lean, but with these components removed and no others."""
    rows = tuple(RemoveTable(component=name, reason="nothing uses it here") for name in components)
    return LEAN.model_copy(update={"name": "app", "remove": rows, "trace": None})


def planned(name: str, profile: Profile) -> BuildPlan:
    """The plan of a recipe, without a PGO profile, with its libraries in the same profile."""
    loaded = BOOK.load(name)
    libraries = tuple(planned(library, profile) for library in library_names(loaded.recipe, profile))
    return make_plan(loaded, profile, TARGET, WHERE, tool=TOOL, libraries=libraries)


def fit_of(plan: BuildPlan) -> str:
    table = BOOK.load(plan.recipe).recipe.training
    return fit_key(plan, table) if table else ""


@pytest.mark.parametrize("name", BOOK.names())
def test_compile_key_lean_and_sklearn_same(name: str) -> None:
    sklearn = BOOK.profile("sklearn")
    assert LEAN.levers == sklearn.levers and LEAN.blas == sklearn.blas
    one, other = planned(name, LEAN), planned(name, sklearn)
    assert one.compile_key == other.compile_key
    assert one.digest != other.digest
    assert fit_of(one) == fit_of(other)


@pytest.mark.parametrize("name", WITH_COMPONENTS)
def test_compile_key_every_component_removed_same(name: str) -> None:
    parts = [f"{name}/{part.name}" for part in BOOK.load(name).recipe.components]
    none, every = planned(name, removing()), planned(name, removing(*parts))
    assert len(every.removed) == len(parts)
    assert none.compile_key == every.compile_key
    assert none.digest != every.digest
    assert fit_of(none) == fit_of(every)


@pytest.mark.parametrize("name", ["openblas", "netlib"])
def test_compile_key_library_with_fewer_symbols_same(name: str) -> None:
    whole, less = planned(name, removing()), planned(name, removing(LAPACK))
    assert whole.unlinked == () != less.unlinked
    assert whole.compile_key == less.compile_key
    assert whole.digest != less.digest


@pytest.mark.parametrize("name", ["numpy", "scipy"])
def test_compile_key_package_of_a_library_with_fewer_symbols_same(name: str) -> None:
    whole, less = planned(name, removing()), planned(name, removing(LAPACK))
    assert whole.compile.libraries == less.compile.libraries != {}
    assert whole.compile_key == less.compile_key
    assert whole.digest == less.digest if name == "numpy" else whole.digest != less.digest


def test_plan_variants_are_of_all_components_removed_or_not() -> None:
    folders = {folder for part in BOOK.load("scipy").recipe.components for folder in part.variants}
    assert folders
    for profile in (removing(), removing(LAPACK)):
        assert set(planned("scipy", profile).variants) == folders
    assert [part.variants for part in planned("scipy", removing(LAPACK)).removed] == [tuple(sorted(folders))]


@dataclass
class Steps:
    """An engine that makes wheels of a few bytes, and the steps that it was asked for."""

    environment = WHERE
    compiled: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    linked: dict[str, list[bytes]] = field(default_factory=dict)

    def compile(self, plan: BuildPlan, work: Path, output: Path, log: Path) -> tuple[str, ...]:
        self.compiled.append(plan.recipe)
        name = plan.distribution.replace("-", "_")
        path = output / f"{name}-{plan.version}-py3-none-any.whl"
        write_wheel(path, {**demo_files(name, plan.version), f"{name}/state": b"compiled"})
        return ()

    def finish(self, plan: BuildPlan, work: Path, raw: Path, output: Path, log: Path) -> tuple[str, ...]:
        self.finished.append(plan.recipe)
        shutil.copyfile(raw, output / raw.name.replace(plan.version, f"{plan.version}+x.1"))
        (output / "record.json").write_text("{}")
        return ()

    def prepare(self, plan: BuildPlan, fetched: Fetched, libraries: tuple[Path, ...], work: Path) -> None:
        (work / "kit").mkdir()
        self.linked[plan.recipe] = [library.read_bytes() for library in libraries]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    made = Steps()
    fetched = Fetched(source=Path("none"), requirements=(), license_sdists={})
    monkeypatch.setattr(pipeline, "make_engine", lambda context, where: made)
    monkeypatch.setattr(pipeline, "fetch", lambda context, plan: fetched)
    monkeypatch.setattr(workdir, "prepare", made.prepare)
    monkeypatch.setattr(workdir, "prepare_finish", lambda plan, fetched, work: None)
    yield made


@pytest.fixture
def context(tmp_path: Path) -> Context:
    made = make_context(tmp_path)
    made.logs.mkdir()
    return made


def stack() -> tuple[BuildPlan, BuildPlan]:
    """A library and a package that links it, without budgets."""
    library, package = (replace(planned(name, removing()), budget=None) for name in ("openblas", "numpy"))
    return library, package


def test_build_package_links_the_compiled_library_not_the_finished_one(
    context: Context, steps: Steps
) -> None:
    library, package = stack()
    done = pipeline.build(context, (library, package))
    assert steps.compiled == ["openblas", "numpy"]
    raw = context.store.get("compiled", library.compile_key)
    assert raw and steps.linked["numpy"] == [next(raw.glob("*.whl")).read_bytes()]
    assert parse_name(done["openblas"].wheel.name).version.endswith("+x.1")


def test_build_second_profile_with_other_removals_compiles_nothing(context: Context, steps: Steps) -> None:
    library, package = stack()
    pipeline.build(context, (library, package))
    part = Removed(component="part", reason="unused", modules=(), late=(), files=())
    smaller = (replace(library, unlinked=("cbbcsd_",)), replace(package, removed=(part,)))
    pipeline.build(context, smaller)
    assert steps.compiled == ["openblas", "numpy"]
    assert sorted(steps.finished) == ["numpy", "numpy", "openblas", "openblas"]


def test_build_library_in_the_store_without_its_compile_is_compiled_for_a_package(
    context: Context, steps: Steps
) -> None:
    library, package = stack()
    pipeline.build(context, (library,))
    raw = context.store.get("compiled", library.compile_key)
    assert raw
    shutil.rmtree(raw)
    pipeline.build(context, (library, package))
    assert steps.compiled == ["openblas", "openblas", "numpy"]
    assert steps.finished == ["openblas", "numpy"]


def test_shipped_plans_of_lean_and_sklearn_take_one_pgo_profile() -> None:
    for name in ("numpy", "scipy", "pandas", "scikit-learn"):
        one, other = (shipped_plan(name, profile) for profile in ("lean", "sklearn"))
        assert one.compile.pgo == other.compile.pgo
