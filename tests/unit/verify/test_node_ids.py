"""Ids of parametrized tests that are numbered in another order."""

from __future__ import annotations

from spokeshave.verify.node_ids import aligned
from spokeshave.verify.outcomes import compare

PASS, FAIL = ("passed", ""), ("failed", "AssertionError")
T = "t.py::test_division"


def test_aligned_ids_that_differ_in_numbers_take_pypis_names() -> None:
    stock = {f"{T}[uint64-ex_val25]": PASS, f"{T}[ulonglong-ex_val28]": PASS, f"{T}[int8-ex_val0]": PASS}
    ours = {f"{T}[ulonglong-ex_val25]": PASS, f"{T}[uint64-ex_val28]": PASS, f"{T}[int8-ex_val0]": PASS}
    assert aligned(ours, stock) == stock
    assert compare(ours, stock, {}).passed


def test_aligned_failing_test_stays_a_loss() -> None:
    stock = {f"{T}[x-a1]": PASS, f"{T}[y-a2]": PASS}
    found = compare({f"{T}[y-a1]": PASS, f"{T}[x-a2]": FAIL}, stock, {})
    assert [(loss.stock, loss.ours) for loss in found.losses] == [("passed", "failed")]


def test_aligned_needs_as_many_ids_of_the_form_on_both_sides() -> None:
    stock = {f"{T}[a1]": PASS, f"{T}[a2]": PASS}
    assert aligned({f"{T}[a3]": PASS}, stock) == {f"{T}[a3]": PASS}
    assert {loss.test for loss in compare({f"{T}[a3]": PASS}, stock, {}).losses} == set(stock)


def test_aligned_ids_that_differ_otherwise_are_kept() -> None:
    stock = {f"{T}[uint8-x]": PASS, "t.py::test_1": PASS, f"{T}[1.5-b]": PASS}
    ours = {f"{T}[uint8-y]": PASS, "t.py::test_2": PASS, f"{T}[1.5-c]": PASS}
    assert aligned(ours, stock) == ours


def test_aligned_ids_of_a_missing_type_are_lost() -> None:
    stock = {f"{T}[float128-x1]": PASS, f"{T}[float128-x2]": PASS}
    ours = {f"{T}[float96-x1]": PASS, f"{T}[float96-x2]": PASS}
    assert aligned(ours, stock) == ours
    assert {loss.test for loss in compare(ours, stock, {}).losses} == set(stock)
