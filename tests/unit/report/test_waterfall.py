"""The waterfall ends at our size exactly, whatever was and was not measured."""

from __future__ import annotations

import itertools

import pytest

from spokeshave.inside.sizes import KINDS
from spokeshave.report.parts import BLAS, Part, Side
from spokeshave.report.waterfall import ComponentRow, LeverRow, waterfall


def side(unpacked: int) -> Side:
    return Side(kinds={**dict.fromkeys(KINDS, 0), "Python": unpacked}, unpacked=unpacked, bytecode=0, wheel=1)


def lever(wheel: str, name: str, saved: int | None, files: int = 0) -> LeverRow:
    return LeverRow(wheel=wheel, lever=name, saved=saved, files=files, note="")


PARTS = (
    Part(name="numpy", ours=side(1300), stock=side(2900)),
    Part(name="scipy", ours=side(4000), stock=side(8000)),
    Part(name=BLAS, ours=side(1000), stock=side(5900)),
)
LEVERS = (
    lever("numpy", "tests", 700, files=5),
    lever("numpy", "unwind", None),
    lever("scipy", "tests", 1600, files=6),
    lever("scipy", "typing", 0),
    lever("slim_openblas", "symbols", 150, files=1),
)
COMPONENTS = (ComponentRow(wheel="scipy", component="io", saved=480, files=3, reason="not needed"),)


@pytest.mark.parametrize("ours", [1, 1300, 9_000])
def test_the_steps_meet_and_end_at_ours(ours: int) -> None:
    rows = (Part(name="numpy", ours=side(ours), stock=side(2900)), *PARTS[1:])
    steps = waterfall(rows, LEVERS, COMPONENTS, "slim-openblas")
    assert (steps[0].label, steps[0].after) == ("PyPI", 2900 + 8000 + 5900)
    assert (steps[-1].label, steps[-1].before, steps[-1].after) == ("ours", 0, ours + 4000 + 1000)
    for one, following in itertools.pairwise(steps[:-1]):
        assert following.before == one.after
    assert steps[-2].after == steps[-1].after
    assert steps[0].after - sum(step.saved for step in steps) == steps[-1].after


def test_each_saving_is_a_step() -> None:
    steps = {step.label: step for step in waterfall(PARTS, LEVERS, COMPONENTS, "slim-openblas")}
    assert list(steps) == [
        *("PyPI", "tests", "symbols", "scipy without io", "one slim BLAS"),
        *("compiler, linker and other", "ours"),
    ]
    assert (steps["tests"].saved, steps["tests"].note) == (2300, "11 files")
    assert (steps["scipy without io"].saved, steps["scipy without io"].note) == (480, "not needed")
    assert steps["one slim BLAS"].saved == 5900 - 1000 - 150, "beyond what a lever took off it"
    assert "unwind" in steps["compiler, linker and other"].note


def test_there_is_none_without_a_twin() -> None:
    assert waterfall((*PARTS, Part(name="x", ours=side(1), stock=None)), LEVERS, (), "slim-openblas") == ()
    assert waterfall((), (), (), "slim-openblas") == ()
