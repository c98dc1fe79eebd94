"""Counter files (`.gcda`) that instrumented code writes when its process ends: which functions ran.

The format is gcc's own (gcc/gcov-io.h; lengths in bytes since gcc 12): a head of magic, version, stamp and
checksum, then records of a tag, a length and so many bytes. A negative length stands for so many zeros.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MAGIC = b"adcg"
_HEAD = 16  # bytes
_END = bytes(4)
MOST = 2**31 - 1  # the largest that gcc takes for --param=hot-bb-count-fraction
_SUMMARY, _FUNCTION, _ARCS = 0xA1000000, 0x01000000, 0x01A10000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How many functions counters are about, and how many of them ran."""

    functions: int
    ran: int


def compiler_of(data: bytes) -> str:
    """The compiler's version as it stands in a counter file, for example `B42*` for gcc 14.2.

    Raises ValueError for what is no counter file.
    """
    if len(data) < _HEAD or not data.startswith(_MAGIC):
        raise ValueError("no counter file of gcc's")
    return data[4:8][::-1].decode("ascii", "replace")


def reach(data: bytes) -> Reach:
    """The functions of one counter file; raises ValueError for one that is cut short or none at all."""
    compiler_of(data)
    functions = ran = 0
    for tag, counts in _records(data):
        # The record of a function that another file holds is empty.
        functions += tag == _FUNCTION and bool(counts)
        ran += tag == _ARCS and any(counts)
    return Reach(functions=functions, ran=ran)


def as_one_run(data: bytes) -> bytes:
    """The same counters, said to be of one process in which some block ran `MOST` times.

    gcc takes for hot what ran more than once a process, and at least a given fraction as often as the most
    frequent block of the module (predict.cc, `maybe_hot_count_p`): a loop that one of fifty processes ran ten
    times would count as cold, and be compiled for size. And so a fraction means the same in every module.
    Raises ValueError for what is no counter file.
    """
    compiler_of(data)
    if struct.unpack_from("<Ii", data, _HEAD) != (_SUMMARY, 8):
        raise ValueError("no summary where gcc writes one")
    at = _HEAD + 8
    return data[:at] + struct.pack("<II", 1, MOST) + data[at + 8 :]


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags with their bytes; of counters that are all 0, nothing."""
    at = _HEAD
    while at + 8 <= len(data):
        tag, length = struct.unpack_from("<Ii", data, at)
        at += 8
        yield tag, data[at : at + max(0, length)]
        at += max(0, length)
    if data[at:] != _END:
        raise ValueError("the counter file is cut short")
