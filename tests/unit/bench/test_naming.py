"""Short names of cases."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from spokeshave.bench.model import Case
from spokeshave.bench.naming import plain, short_names


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<ufunc 'add'>", "add"),
        ("<class 'numpy.float32'>", "float32"),
        ("<function f>", "f"),
        ("<built-in function sum>", "sum"),
        ("dtype('<M8[s]')", "<M8[s]"),
        ("'one, two'", "one, two"),
        ("'B'", "B"),
        ("(10, 20)", "(10, 20)"),
        ("0.5", "0.5"),
        ("''", "''"),
    ],
)
def test_plain_parameter_has_no_quotes_or_class(written: str, shown: str) -> None:
    assert plain(written) == shown


@pytest.mark.parametrize(
    ("written", "shown"), [("'B'", "uint8"), ("'g'", "longdouble"), ("'int16'", "int16")]
)
def test_plain_type_code_of_a_dtype_is_its_name(written: str, shown: str) -> None:
    assert plain(written, "dtype") == shown


def test_short_names_omit_the_module_and_parameters_of_one_value() -> None:
    cases = [
        Case(benchmark="m.C.time_it", params=(op, "1", code), names=("ufunc", "stride", "dtype"))
        for op in ("<ufunc 'left_shift'>", "<ufunc 'right_shift'>")
        for code in ("'B'", "'l'")
    ]
    old = Case(benchmark="m.time_one", params=("4",))
    report: Any = SimpleNamespace(results=[SimpleNamespace(case=case) for case in (*cases, old)])
    assert list(short_names(report).values()) == [
        "C.time_it (left_shift, uint8)",
        "C.time_it (left_shift, int64)",
        "C.time_it (right_shift, uint8)",
        "C.time_it (right_shift, int64)",
        "time_one",
    ]
