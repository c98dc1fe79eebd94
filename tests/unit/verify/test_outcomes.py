"""The verdict, outcome by outcome."""

from __future__ import annotations

import pytest

from spokeshave.inside.stub_message import removed_message
from spokeshave.verify.faults import scope_faults
from spokeshave.verify.outcomes import Loss, Outcomes, compare, missed
from support import shipped_plan

PASS, FAIL, SKIP, ERROR = ("passed", ""), ("failed", "boom"), ("skipped", "no net"), ("error", "no fixture")
XFAIL, XPASS = ("xfailed", "known"), ("xpassed", "known")


def test_equal_outcomes_pass() -> None:
    outcomes = {"a::one": PASS, "a::two": SKIP, "a::three": FAIL}
    found = compare(outcomes, outcomes, {})
    assert found.passed
    assert found.losses == ()
    assert found.both_failed == ("a::three",)
    assert found.ours == found.stock == {"passed": 1, "skipped": 1, "failed": 1}
    assert found.skip_reasons == {"no net": 1}


@pytest.mark.parametrize("stock", [PASS, XFAIL, XPASS])
@pytest.mark.parametrize("ours", [FAIL, ERROR, SKIP])
def test_what_passes_on_stock_and_not_on_ours_is_lost(stock: tuple[str, str], ours: tuple[str, str]) -> None:
    found = compare({"a::one": ours}, {"a::one": stock}, {})
    assert found.losses == (Loss(test="a::one", stock=stock[0], ours=ours[0], reason=ours[1]),)
    assert not found.passed


def test_a_test_that_was_not_run_is_lost() -> None:
    found = compare({}, {"a::one": PASS}, {})
    assert found.losses[0].ours == "not run"
    assert not found.passed


@pytest.mark.parametrize(
    ("stock", "ours", "passed"),
    [
        (PASS, XPASS, True),
        (XPASS, PASS, True),
        (XFAIL, PASS, True),
        (PASS, XFAIL, False),
        (XPASS, XFAIL, False),
    ],
)
def test_an_expected_failure_is_worse_than_a_pass(
    stock: tuple[str, str], ours: tuple[str, str], passed: bool
) -> None:
    assert compare({"a::one": ours}, {"a::one": stock}, {}).passed is passed


@pytest.mark.parametrize("stock", [FAIL, ERROR, SKIP])
def test_what_passes_on_ours_alone_is_a_gain(stock: tuple[str, str]) -> None:
    found = compare({"a::one": PASS}, {"a::one": stock}, {})
    assert found.gains == ("a::one",)
    assert found.passed


def test_a_test_that_stock_does_not_have_is_no_loss() -> None:
    found = compare({"a::new": PASS}, {}, {})
    assert found.passed
    assert found.ours == {"passed": 1}


def test_a_skip_of_the_recipe_is_listed_with_what_it_left_out() -> None:
    stock: Outcomes = {"a.py::net[1]": PASS, "a.py::net[2]": PASS, "a.py::net[3]": SKIP, "a.py::sum": PASS}
    found = compare({"a.py::sum": PASS}, stock, {"a.py::net": "wants the network"})
    assert found.passed
    assert found.skipped == {"wants the network": ("a.py::net[1]", "a.py::net[2]")}
    assert found.unmatched_skips == ()


def test_a_skip_that_matches_nothing_fails_the_verdict() -> None:
    outcomes = {"a::one": PASS}
    found = compare(outcomes, {**outcomes, "a::net": PASS}, {"b::gone": "dropped", "a::net": "no network"})
    assert found.unmatched_skips == ("b::gone",)
    assert not found.passed


def test_a_skip_does_not_hide_a_test_that_ran_and_failed() -> None:
    found = compare({"a::one": FAIL}, {"a::one": PASS}, {"a::one": "was thought to fail"})
    assert [loss.test for loss in found.losses] == ["a::one"]


def test_a_failure_where_stock_skips_or_has_no_test_is_a_loss() -> None:
    ours = {"a::one": ("failed", "boom"), "a::two": ("error", "bang"), "a::three": ("skipped", "later")}
    found = compare(ours, {"a::one": ("skipped", "not here")}, {})
    assert [(loss.test, loss.stock, loss.ours) for loss in found.losses] == [
        ("a::one", "skipped", "failed"),
        ("a::two", "not run", "error"),
    ]
    assert not found.passed


def test_tests_of_a_removed_component_are_listed_as_removed() -> None:
    stock = {"p/signal/tests/t.py::one": PASS, "p/signal/tests/t.py::two": SKIP, "p/a.py::three": PASS}
    found = compare({"p/a.py::three": PASS}, stock, {}, {"p/signal/": "signal"})
    assert found.passed
    assert found.removed == {"signal": ("p/signal/tests/t.py::one",)}
    assert found.skipped == {}


def test_a_test_that_ran_in_spite_of_its_component_is_judged() -> None:
    found = compare({"p/signal/t.py::one": FAIL}, {"p/signal/t.py::one": PASS}, {}, {"p/signal/": "signal"})
    assert not found.passed


def test_a_skip_inside_a_removed_component_is_matched() -> None:
    found = compare({}, {"p/signal/t.py::one": PASS}, {"p/signal/t.py::one": "docs"}, {"p/signal/": "signal"})
    assert found.passed
    assert found.removed == {"signal": ("p/signal/t.py::one",)}


def test_a_removed_test_outside_that_fits_nothing_is_reported() -> None:
    found = compare({"a::one": PASS}, {"a::one": PASS}, {}, {"p/signal/": "signal", "a::gone": "signal"})
    assert found.unmatched_skips == ("a::gone",)


@pytest.fixture
def told() -> str:
    """What a stub of component qhull says, at the end of a failure."""
    plan = shipped_plan("scipy", "sklearn")
    part = next(one for one in plan.removed if one.component == "qhull")
    return f"E   ModuleNotFoundError: {removed_message(plan, part, part.modules[0])}"


PARTS = {("scipy", "qhull"): "qhull"}


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped"])
def test_a_test_that_runs_into_a_stub_goes_with_its_component(told: str, outcome: str) -> None:
    ours = {"a::one": (outcome, told), "a::two": PASS, "a::new": (outcome, told)}
    found = compare(ours, {"a::one": PASS, "a::two": PASS}, {}, {}, PARTS)
    assert found.passed
    assert found.removed == {"qhull": ("a::one",)}
    assert found.ours == {"removed": 2, "passed": 1}
    assert found.skip_reasons == {}


def test_a_file_that_runs_into_a_stub_takes_its_tests_along(told: str) -> None:
    stock = {"p/a.py::one": PASS, "p/a.py::two": SKIP, "p/b.py::one": PASS}
    found = compare({"p/a.py": ("error", told)}, stock, {}, {}, PARTS)
    assert found.removed == {"qhull": ("p/a.py::one",)}
    assert [loss.test for loss in found.losses] == ["p/b.py::one"]


def test_a_stub_of_a_component_that_was_not_removed_excuses_nothing(told: str) -> None:
    ours = {"a::one": ("failed", told)}
    assert missed(ours, {("scipy", "odr"): "odr", ("numpy", "qhull"): "qhull"}) == {}
    assert not compare(ours, {"a::one": PASS}, {}, {}, {("scipy", "odr"): "odr"}).passed


def test_a_test_that_passes_is_judged_whatever_it_says(told: str) -> None:
    assert missed({"a::one": ("passed", told), "a::two": ("xfailed", told)}, PARTS) == {}


def test_a_level_whose_tests_are_all_left_out_proves_nothing() -> None:
    left_out = compare({}, {"a::one": PASS}, {}, {"a": "kit/part"})
    assert left_out.passed
    (fault,) = scope_faults("smoke", left_out)
    assert "verify with --level core" in fault
    kept = compare({"b::one": PASS}, {"a::one": PASS, "b::one": PASS}, {}, {"a": "kit/part"})
    assert scope_faults("smoke", kept) == []
    assert scope_faults("full", compare({}, {"a::one": SKIP}, {}, {})) == []
