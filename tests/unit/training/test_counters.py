"""Counter files of gcc's."""

from __future__ import annotations

import struct

import pytest

from countersample import IDLE, WRITTEN
from spokeshave.training.counters import (
    MOST,
    Reach,
    as_one_run,
    compiler_of,
    processes,
    ran_in,
    reach,
    without,
)


def test_what_ran_is_told_from_what_did_not() -> None:
    assert reach(WRITTEN) == Reach(functions=3, ran=2)
    assert compiler_of(WRITTEN) == "B22*"


@pytest.mark.parametrize("length", [0, 3, 15, 17, 40, len(WRITTEN) - 4, len(WRITTEN) - 1])
def test_a_file_that_is_cut_short_is_told(length: int) -> None:
    with pytest.raises(ValueError, match=r"cut short|no counter file"):
        reach(WRITTEN[:length])
    with pytest.raises(ValueError, match=r"cut short|no counter file"):
        ran_in(WRITTEN[:length])


def test_another_file_is_told() -> None:
    with pytest.raises(ValueError, match="no counter file"):
        reach(b"\x7fELF" + bytes(60))


def test_counters_of_many_processes_count_as_of_one() -> None:
    """And what is often is so in every module, however often its most frequent block ran."""
    many = WRITTEN[:24] + struct.pack("<II", 50, 3) + WRITTEN[32:]
    one = as_one_run(many)
    assert struct.unpack_from("<II", one, 24) == (1, MOST)
    assert (processes(many), processes(one)) == (50, 1)
    assert one[:24] + one[32:] == WRITTEN[:24] + WRITTEN[32:]
    assert as_one_run(WRITTEN) == one == as_one_run(one)
    with pytest.raises(ValueError, match="no summary"):
        as_one_run(WRITTEN[:16] + WRITTEN[28:])


def test_functions_that_ran_are_told() -> None:
    assert len(ran_in(WRITTEN)) == 2
    assert ran_in(IDLE) == frozenset()


def test_functions_are_taken_out_with_all_their_counters() -> None:
    some = min(ran_in(WRITTEN))
    left = without(WRITTEN, {some})
    assert reach(left) == Reach(functions=2, ran=1)
    assert ran_in(left) == ran_in(WRITTEN) - {some}
    assert len(left) == len(WRITTEN) - 52, "a function's record of 20 bytes and two of one counter each"
    assert without(WRITTEN, ()) == WRITTEN
    assert reach(without(WRITTEN, ran_in(WRITTEN))) == Reach(functions=1, ran=0)
