"""Every recipe under every profile has a proof that fits it; a changed one has none."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from spokeshave.build.wheelhouse import BuiltWheel, Candidate
from spokeshave.inside.model import BuildPlan
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.select import library_names
from spokeshave.verdict import VerifyReport
from spokeshave.verify.records import (
    fault_of,
    record_path,
    record_savings,
    recorded_savings,
    stronger_level,
    subject_digest,
    write_record,
)
from support import RECIPES, demo_files, shipped_plan, write_wheel

BOOK = RecipeBook([RECIPES])
PROOFS = RECIPES / "proofs"


PROFILES = [name for name in BOOK.profile_names() if not BOOK.profile(name).draft]
FINISHED = [name for name in BOOK.names() if not BOOK.load(name).recipe.draft]


def companions(recipe: str, profile: str) -> list[BuildPlan]:
    """The plans of the wheels that a recipe is proved with: its stack, and the libraries of all."""
    loaded = BOOK.load(recipe)
    stack = loaded.recipe.verify.stack
    libraries = [
        name
        for one in (recipe, *stack)
        for name in library_names(BOOK.load(one).recipe, BOOK.profile(profile))
    ]
    return [shipped_plan(name, profile) for name in dict.fromkeys([*stack, *libraries])]


REQUIRED = set(product(FINISHED, PROFILES))
COMMITTED = {(path.stem, path.parent.name) for path in PROOFS.glob("*/*.json")}  # drafts may have some, too


@pytest.mark.parametrize(("recipe", "profile"), sorted(REQUIRED | COMMITTED))
def test_the_shipped_recipes_are_proved(recipe: str, profile: str) -> None:
    plan = shipped_plan(recipe, profile)
    assert fault_of(PROOFS, BOOK.load(recipe), plan, companions(recipe, profile)) == ""


@pytest.mark.parametrize("profile", PROFILES)
def test_the_proofs_of_a_profile_are_of_one_stack(profile: str) -> None:
    """Each package was proved beside the very wheels that the other records are of."""
    records = [json.loads((PROOFS / profile / f"{recipe}.json").read_text()) for recipe in FINISHED]
    proved = {record["wheel"]["name"]: record["wheel"]["sha256"] for record in records}
    beside = [pair for record in records for pair in record["with"].items()]
    assert beside
    assert [(name, proved[name]) for name, _ in beside] == beside


@pytest.fixture
def report(tmp_path: Path) -> VerifyReport:
    return VerifyReport(
        wheel="numpy-2.4.6+lean.1-cp311-cp311-linux_x86_64.whl",
        sha256="0" * 64,
        plan="p",
        level="full",
        place="here",
        faults=(),
        imported=3,
        comparison={"ours": {"passed": 2}, "stock": {"passed": 2}, "losses": (), "both_failed": ()},
        flaky={},
        passed=True,
    )


def built(path: Path, plan: BuildPlan) -> BuiltWheel:
    return BuiltWheel(path=path, sha256="0" * 64, plan=plan, tests=None)


@pytest.fixture
def candidate(tmp_path: Path, report: VerifyReport) -> Candidate:
    wheel = write_wheel(tmp_path / report.wheel, demo_files("numpy", "2.4.6+lean.1"))
    return Candidate(
        own=built(wheel, shipped_plan("numpy")),
        loaded=BOOK.load("numpy"),
        companions=(built(tmp_path / "slim_openblas.whl", shipped_plan("openblas")),),
    )


def fault(folder: Path, candidate: Candidate, plan: BuildPlan, blas: str = "openblas") -> str:
    return fault_of(folder, candidate.loaded, plan, [shipped_plan(blas)])


def test_a_record_counts_for_its_plan_alone(
    candidate: Candidate, report: VerifyReport, tmp_path: Path
) -> None:
    write_record(tmp_path, candidate, report, {})
    assert fault(tmp_path, candidate, candidate.plan) == ""
    changed = replace(candidate.plan, levers=candidate.plan.levers[1:])
    assert "has changed since" in fault(tmp_path, candidate, changed)
    assert "has changed since" in fault(tmp_path, candidate, candidate.plan, "netlib")
    assert fault(tmp_path, candidate, shipped_plan("numpy", "full")) == "there is no record"


def test_a_changed_skip_or_stock_wheel_asks_for_a_new_proof(candidate: Candidate) -> None:
    loaded, plan = candidate.loaded, candidate.plan
    before = subject_digest(loaded, plan, [])
    verify = loaded.recipe.verify.model_copy(update={"skip": ()})
    version = loaded.recipe.versions[0].model_copy(update={"stock": {}})
    for change in ({"verify": verify}, {"versions": (version,)}):
        recipe = loaded.recipe.model_copy(update=change)
        assert subject_digest(replace(loaded, recipe=recipe), plan, []) != before


def test_what_lower_levels_run_is_no_part_of_a_proof(candidate: Candidate) -> None:
    loaded, plan = candidate.loaded, candidate.plan
    for level, same in (("smoke", True), ("core", True), ("full", False)):
        verify = loaded.recipe.verify.model_copy(update={level: ("numpy/fft",)})
        changed = replace(loaded, recipe=loaded.recipe.model_copy(update={"verify": verify}))
        assert (subject_digest(changed, plan, []) == subject_digest(loaded, plan, [])) is same


def test_a_proof_is_about_the_components_that_are_taken_out() -> None:
    loaded = BOOK.load("scipy")
    components = tuple(
        part.model_copy(update={"late": ("another",)}) if part.name == "cobyla" else part
        for part in loaded.recipe.components
    )
    changed = replace(loaded, recipe=loaded.recipe.model_copy(update={"components": components}))
    for profile, same in (("lean", True), ("sklearn", False)):
        plan = shipped_plan("scipy", profile)
        assert (subject_digest(changed, plan, []) == subject_digest(loaded, plan, [])) is same


def test_where_it_was_built_and_by_which_code_does_not_matter(candidate: Candidate) -> None:
    elsewhere = replace(
        candidate.plan,
        tool={"compile": "x", "finish": "y"},
        environment=replace(candidate.plan.environment, engine="host", image=""),
    )
    assert elsewhere.digest != candidate.plan.digest
    assert elsewhere.recipe_digest == candidate.plan.recipe_digest


@pytest.mark.parametrize("change", [{"passed": False}, {"level": "core"}])
def test_a_weaker_record_does_not_count(
    candidate: Candidate, report: VerifyReport, tmp_path: Path, change: dict[str, object]
) -> None:
    write_record(tmp_path, candidate, replace(report, **change), {})  # type: ignore[arg-type]
    assert "the record is of level" in fault(tmp_path, candidate, candidate.plan)


def test_a_record_of_nothing_does_not_count(
    candidate: Candidate, report: VerifyReport, tmp_path: Path
) -> None:
    write_record(tmp_path, candidate, replace(report, imported=0, comparison=None), {})
    assert "no module was imported and no test passed" in fault(tmp_path, candidate, candidate.plan)


def test_a_weaker_proof_does_not_take_the_place_of_a_stronger_one(
    candidate: Candidate, report: VerifyReport, tmp_path: Path
) -> None:
    smoke = replace(report, level="smoke")
    assert stronger_level(tmp_path, candidate, smoke) == ""
    write_record(tmp_path, candidate, report, {})
    assert stronger_level(tmp_path, candidate, smoke) == "full"
    assert stronger_level(tmp_path, candidate, report) == "", "one of the same level is newer"
    other = replace(candidate, companions=())
    assert stronger_level(tmp_path, other, smoke) == "", "it is about something else"


def test_a_record_tells_counts_and_sizes(candidate: Candidate, report: VerifyReport, tmp_path: Path) -> None:
    write_record(tmp_path, candidate, report, {})
    record = json.loads(record_path(tmp_path, "numpy", "lean").read_text())
    assert record["outcomes"] == {"ours": {"passed": 2}, "stock": {"passed": 2}}
    assert record["wheel"]["bytes"] == candidate.own.path.stat().st_size
    assert record["stock"] == {"numpy": "2.4.6"}


def test_savings_count_for_the_same_recipe_alone(
    candidate: Candidate, report: VerifyReport, tmp_path: Path
) -> None:
    write_record(tmp_path / "b", candidate, report, {"sections": 12})
    folders = [tmp_path / "a", tmp_path / "b"]
    assert recorded_savings(folders, candidate.plan) == {"sections": 12}
    assert recorded_savings(folders, replace(candidate.plan, levers=())) == {}


def test_savings_are_added_to_a_record_that_fits(
    candidate: Candidate, report: VerifyReport, tmp_path: Path
) -> None:
    assert not record_savings(tmp_path, candidate.plan, {"unwind": 1})
    write_record(tmp_path, candidate, report, {"sections": 12})
    assert record_savings(tmp_path, candidate.plan, {"unwind": 1})
    assert recorded_savings([tmp_path], candidate.plan) == {"sections": 12, "unwind": 1}


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_record_savings_damaged_record_is_no_record(
    candidate: Candidate, report: VerifyReport, tmp_path: Path, text: str
) -> None:
    path = write_record(tmp_path, candidate, report, {})
    path.write_text(text)
    assert not record_savings(tmp_path, candidate.plan, {"unwind": 1})
    assert path.read_text() == text
    assert fault(tmp_path, candidate, candidate.plan) == "there is no record"


def test_a_proof_made_again_keeps_what_was_measured(
    candidate: Candidate, report: VerifyReport, tmp_path: Path
) -> None:
    """A full proof on a machine that measured no lever."""
    write_record(tmp_path, candidate, report, {"sections": 12, "unwind": 1})
    write_record(tmp_path, candidate, report, {"unwind": 2})
    assert recorded_savings([tmp_path], candidate.plan) == {"sections": 12, "unwind": 2}
    other = replace(candidate, own=replace(candidate.own, plan=replace(candidate.plan, levers=())))
    write_record(tmp_path, other, report, {})
    assert recorded_savings([tmp_path], other.plan) == {}
