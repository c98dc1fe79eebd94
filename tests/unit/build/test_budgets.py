"""Budgets that a profile takes over, and cannot keep since it switches a lever off."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from spokeshave.build import budgets, pipeline
from spokeshave.build.budgets import Known
from spokeshave.context import Context, Request
from spokeshave.inside.model import BuildPlan, Target
from spokeshave.verify.records import recorded_bytes
from support import RECIPES, WHERE, make_context

BUDGET = 13_000_000
APP = 'schema = 1\nname = "app"\nextends = "lean"\nsummary = "with docstrings"\n'
OFF = "[levers]\ndocstrings = false\n"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    recipes = Path(shutil.copytree(RECIPES, tmp_path / "recipes"))
    lean = recipes / "profiles" / "lean.toml"
    lean.write_text(lean.read_text().replace("numpy = 13_000_000", f"numpy = {BUDGET}"))
    return make_context(tmp_path, recipes=recipes)


def unknown(plan: BuildPlan) -> Known:
    return Known(unpacked=None, savings={})


def put_built(context: Context, plan: BuildPlan, record: Mapping[str, object]) -> None:
    def write(new: Path) -> None:
        (new / "record.json").write_text(json.dumps(record), "utf-8")

    context.store.put("built", plan.digest, write)


def warned(
    context: Context, profile: str, known: Known | None = None, without: frozenset[str] = frozenset()
) -> list[str]:
    """The warnings for numpy; `known` is what a record says of its wheel in lean."""
    (context.book.folders[0] / "profiles" / "app.toml").write_text(profile)
    asked = Request(packages=("numpy",), profile="app", target=Target(), without=without)
    plans = pipeline.make_plans(context, asked, WHERE)

    def recorded(plan: BuildPlan) -> Known:
        return known if known and (plan.recipe, plan.profile) == ("numpy", "lean") else unknown(plan)

    return budgets.warnings(context, asked, plans, recorded)


def test_warnings_lever_off_inherited_budget_without_numbers_says_so(context: Context) -> None:
    blas, numpy = warned(context, APP + OFF)
    assert blas.startswith("warning: slim-openblas: its budget")
    assert f"numpy: its budget of {BUDGET:,} bytes was set in profile 'lean' with docstrings;" in numpy
    assert "the wheel is larger: give [budgets] in profile 'app' a separate number" in numpy


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (Known(unpacked=BUDGET - 10, savings={"docstrings": 30}), f"takes {BUDGET + 20:,} bytes"),
        (Known(unpacked=BUDGET - 10, savings={"docstrings": 10}), ""),
        (Known(unpacked=BUDGET - 10, savings={"typing": 30}), f"takes more than {BUDGET - 10:,} bytes"),
    ],
)
def test_warnings_recorded_savings_decide(context: Context, known: Known, told: str) -> None:
    lines = [line for line in warned(context, APP + OFF, known) if "numpy" in line]
    assert bool(lines) == bool(told)
    assert all(told in line for line in lines)


@pytest.mark.parametrize(
    "profile",
    [APP, APP + OFF + "[budgets]\nnumpy = 20_000_000\nslim-openblas = 20_000_000\n", APP + "[levers]\n"],
)
def test_warnings_own_budget_or_same_levers_silent(context: Context, profile: str) -> None:
    assert warned(context, profile) == []


def test_warnings_without_on_the_command_line_counts(context: Context) -> None:
    """Of the packages that were asked for alone: the libraries have all levers."""
    (line,) = warned(context, APP, without=frozenset({"typing"}))
    assert "numpy" in line and "with typing;" in line


def test_warnings_more_removed_components_are_told(context: Context) -> None:
    row = '[[remove]]\ncomponent = "numpy/f2py"\nreason = "not used in this app"\n'
    *_, numpy = warned(context, APP + row + OFF)
    assert "the wheel is larger, less what 1 more removed components take" in numpy


def test_warnings_wheel_in_store_that_keeps_the_budget_silent(context: Context) -> None:
    (context.book.folders[0] / "profiles" / "app.toml").write_text(APP + OFF)
    asked = Request(packages=("numpy",), profile="app", target=Target())
    plans = pipeline.make_plans(context, asked, WHERE)
    for plan, size in zip(plans, (10**6, BUDGET + 1), strict=True):
        put_built(context, plan, {"unpacked": {"finished": size}, "levers": []})
    (line,) = budgets.warnings(context, asked, plans, unknown)
    assert f"numpy: its budget of {BUDGET:,} bytes" in line and f"takes {BUDGET + 1:,} bytes" in line


def test_warnings_former_build_of_the_base_gives_the_numbers(context: Context) -> None:
    asked = Request(packages=("numpy",), profile="lean", target=Target())
    *_, base = pipeline.make_plans(context, asked, WHERE)
    record = {"unpacked": {"finished": BUDGET - 5}, "levers": [{"name": "docstrings", "saved": 2_000_000}]}
    put_built(context, base, record)
    *_, numpy = warned(context, APP + OFF)
    assert f"takes {BUDGET + 1_999_995:,} bytes" in numpy


def test_recorded_bytes_without_a_record_is_none(context: Context, tmp_path: Path) -> None:
    asked = Request(packages=("numpy",), profile="lean", target=Target())
    *_, plan = pipeline.make_plans(context, asked, WHERE)
    assert recorded_bytes([tmp_path], plan) is None
    path = tmp_path / "lean" / "numpy.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"recipe_digest": plan.recipe_digest, "wheel": {"unpacked": 77}}))
    assert recorded_bytes([tmp_path], plan) == 77


def test_warnings_base_with_another_blas_is_passed_over(context: Context) -> None:
    profiles = context.book.folders[0] / "profiles"
    (profiles / "x.toml").write_text(
        'schema = 1\nname = "x"\nsummary = "reference BLAS"\nextends = "lean"\nblas = {recipe = "netlib"}\n'
        "[budgets]\nslim-openblas = 9_000_000\n"
    )
    text = 'schema = 1\nname = "app"\nsummary = "back"\nextends = "x"\nblas = {recipe = "openblas"}\n'
    lines = warned(context, text + "[levers]\nunwind = false\n")
    assert [line for line in lines if "slim-openblas" in line] == []


def test_warnings_without_on_a_shipped_profile_advise_one_of_your_own(context: Context) -> None:
    asked = Request(packages=("numpy",), profile="lean", target=Target(), without=frozenset({"typing"}))
    plans = pipeline.make_plans(context, asked, WHERE)
    (line,) = budgets.warnings(context, asked, plans, unknown)
    assert "extend 'lean' in a profile of your own" in line
