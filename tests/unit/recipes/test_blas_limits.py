"""What numpy's patch refuses: matrices whose workspace or elements a BLAS with 32-bit indices cannot count.

The limits are those of `ci/workspaces.py`, which asks the drivers themselves.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from support import RECIPES, ROOT

PATCH = RECIPES / "numpy" / "patches" / "0004-name-the-limits-of-32-bit-indices.patch"


class LinAlgError(ValueError):
    """In place of numpy's, which is not installed here."""


@pytest.fixture
def checks() -> dict[str, Callable[..., None]]:
    """The functions that the patch adds at the end of numpy's module."""
    *_, last = PATCH.read_text("utf-8").split("\n@@ ")
    text = "\n".join(line[1:] for line in last.splitlines() if line.startswith("+"))
    found: dict[str, Any] = {"LinAlgError": LinAlgError}
    exec(text, found)
    return found


def matrix(m: int, n: int | None = None) -> SimpleNamespace:
    return SimpleNamespace(shape=(7, m, n or m))


CASES = [
    ("_check_svd", 26_753, (True, True, False)),
    ("_check_svd", 32_766, (True, True, True)),
    ("_check_svd", 46_340, (False, True, False)),
    ("_check_eigh", 32_766, ()),
    ("_check_eig", 46_340, ()),
    ("_check_qr", 46_340, ("reduced",)),
]


@pytest.mark.parametrize(("name", "largest", "rest"), CASES)
def test_check_one_row_too_many_is_refused(
    checks: dict[str, Callable[..., None]], name: str, largest: int, rest: tuple[object, ...]
) -> None:
    checks[name](matrix(largest), *rest)
    with pytest.raises(LinAlgError, match=f"{largest + 1} by {largest + 1} needs .* 32-bit indices"):
        checks[name](matrix(largest + 1), *rest)


def test_check_svd_a_long_side_takes_another_square(checks: dict[str, Callable[..., None]]) -> None:
    checks["_check_svd"](matrix(60_000, 23_169), True, False, False)
    for shape in ((60_000, 23_170), (23_170, 60_000)):
        with pytest.raises(LinAlgError):
            checks["_check_svd"](matrix(*shape), True, False, False)


def test_check_svd_full_matrices_are_counted(checks: dict[str, Callable[..., None]]) -> None:
    checks["_check_svd"](matrix(50_000, 10), True, False, False)
    with pytest.raises(LinAlgError):
        checks["_check_svd"](matrix(50_000, 10), True, True, False)


def test_check_qr_a_complete_q_is_counted(checks: dict[str, Callable[..., None]]) -> None:
    checks["_check_qr"](matrix(2**28 - 1, 8), "reduced")
    for shape, mode in (((50_000, 10), "complete"), ((2**28, 8), "reduced")):
        with pytest.raises(LinAlgError):
            checks["_check_qr"](matrix(*shape), mode)


def test_check_lstsq_right_hand_sides_are_counted(checks: dict[str, Callable[..., None]]) -> None:
    checks["_check_lstsq"](matrix(46_151), 46_151)
    checks["_check_lstsq"](matrix(10**8, 20), 1)
    for shape, sides in (((46_152, 46_152), 46_152), ((10**6, 10), 3_000), ((34_537, 58_045), 31_022)):
        with pytest.raises(LinAlgError):
            checks["_check_lstsq"](matrix(*shape), sides)


def test_documented_limits_are_those_of_the_checks() -> None:
    rows = tomllib.loads((ROOT / "docs" / "data" / "blas.toml").read_text("utf-8"))["limit"]
    documented = {row["calls"]: row["n"] for row in rows}
    svd = "`svd` with vectors, `pinv`"
    assert documented[svd] == CASES[0][1]
    assert documented[f"{svd}; complex"] == CASES[1][1]
    assert documented[f"{svd}; one side 11/6 of the other or more"] == 23_169
    assert documented["`eigh`"] == CASES[3][1]
    (rest,) = (
        n for calls, n in documented.items() if "`qr`" in calls and "`eig`" in calls and "without" in calls
    )
    assert {rest} == {CASES[2][1], CASES[4][1], CASES[5][1]}
