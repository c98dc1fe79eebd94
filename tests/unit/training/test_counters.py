"""Counter files of gcc's."""

from __future__ import annotations

import struct

import pytest

from countersample import WRITTEN
from spokeshave.training.counters import MOST, Reach, as_one_run, compiler_of, reach


def test_what_ran_is_told_from_what_did_not() -> None:
    assert reach(WRITTEN) == Reach(functions=3, ran=2)
    assert compiler_of(WRITTEN) == "B22*"


@pytest.mark.parametrize("length", [0, 3, 15, 17, 40, len(WRITTEN) - 4, len(WRITTEN) - 1])
def test_a_file_that_is_cut_short_is_told(length: int) -> None:
    with pytest.raises(ValueError, match=r"cut short|no counter file"):
        reach(WRITTEN[:length])


def test_another_file_is_told() -> None:
    with pytest.raises(ValueError, match="no counter file"):
        reach(b"\x7fELF" + bytes(60))


def test_counters_of_many_processes_count_as_of_one() -> None:
    """And what is often is so in every module, however often its most frequent block ran."""
    many = WRITTEN[:24] + struct.pack("<II", 50, 3) + WRITTEN[32:]
    one = as_one_run(many)
    assert struct.unpack_from("<II", one, 24) == (1, MOST)
    assert one[:24] + one[32:] == WRITTEN[:24] + WRITTEN[32:]
    assert as_one_run(WRITTEN) == one == as_one_run(one)
    with pytest.raises(ValueError, match="no summary"):
        as_one_run(WRITTEN[:16] + WRITTEN[28:])
