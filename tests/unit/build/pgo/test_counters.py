"""Counter files of gcc's."""

from __future__ import annotations

import struct

import pytest

from countersample import IDLE, WRITTEN
from spokeshave.build.pgo.counters import MOST, read_counters


def test_what_ran_is_told_from_what_did_not() -> None:
    found = read_counters(WRITTEN)
    assert (len(found.functions), len(found.ran)) == (3, 2)
    assert (found.compiler, found.processes) == ("B22*", 1)
    assert read_counters(IDLE).ran == frozenset()


@pytest.mark.parametrize("length", [0, 3, 15, 17, 40, len(WRITTEN) - 4, len(WRITTEN) - 1])
def test_a_file_that_is_cut_short_is_told(length: int) -> None:
    with pytest.raises(ValueError, match=r"cut short|no counter file"):
        read_counters(WRITTEN[:length])


def test_another_file_is_told() -> None:
    with pytest.raises(ValueError, match="no counter file"):
        read_counters(b"\x7fELF" + bytes(60))
    with pytest.raises(ValueError, match="no summary"):
        read_counters(WRITTEN[:16] + WRITTEN[28:])


def test_counters_of_many_processes_count_as_of_one() -> None:
    """And what is often is so in every module, however often its most frequent block ran."""
    many = read_counters(WRITTEN[:24] + struct.pack("<II", 50, 3) + WRITTEN[32:])
    one = many.as_one_run()
    assert struct.unpack_from("<II", one, 24) == (1, MOST)
    assert (many.processes, read_counters(one).processes) == (50, 1)
    assert one[:24] + one[32:] == WRITTEN[:24] + WRITTEN[32:]
    assert read_counters(WRITTEN).as_one_run() == one == read_counters(one).as_one_run()


def test_functions_are_taken_out_with_all_their_counters() -> None:
    whole = read_counters(WRITTEN)
    some = min(whole.ran)
    left = read_counters(whole.as_one_run(without={some}))
    assert (len(left.functions), left.ran) == (2, whole.ran - {some})
    assert len(left.data) == len(WRITTEN) - 52, "a function's record of 20 bytes and two of one counter each"
    none = read_counters(whole.as_one_run(without=whole.ran))
    assert (len(none.functions), none.ran) == (1, frozenset())
