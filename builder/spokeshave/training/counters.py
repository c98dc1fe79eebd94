"""Counter files (`.gcda`) that instrumented code writes when its process ends: which functions ran.

The format is gcc's own (gcc/gcov-io.h; lengths in bytes since gcc 12): a head of magic, version, stamp and
checksum, then records of a tag, a length and so many bytes. A negative length stands for so many zeros.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

_MAGIC = b"adcg"
_HEAD = 16  # bytes
_RECORD = 8  # bytes of a record's own head: its tag and its length
_END = bytes(4)
MOST = 2**31 - 1  # the largest that gcc takes for --param=hot-bb-count-fraction
_SUMMARY, _FUNCTION, _ARCS = 0xA1000000, 0x01000000, 0x01A10000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How many functions counters are about, and how many of them ran."""

    functions: int
    ran: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Function:
    """One function of a counter file, and from where to where its records go.

    `key` is gcc's number and its checksums of it: copies of an inline function have the same in all objects.
    """

    key: bytes
    start: int
    end: int
    ran: bool


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
    found = _functions(data)
    return Reach(functions=len(found), ran=sum(one.ran for one in found))


def ran_in(data: bytes) -> frozenset[bytes]:
    """The functions of one counter file that ran, by key; raises ValueError as `reach` does."""
    compiler_of(data)
    return frozenset(one.key for one in _functions(data) if one.ran)


def processes(data: bytes) -> int:
    """How many processes wrote into a counter file when they ended; raises ValueError as `reach` does."""
    compiler_of(data)
    return int(struct.unpack_from("<I", data, _summary(data))[0])


def without(data: bytes, functions: Collection[bytes]) -> bytes:
    """The same counters without those of some functions, which gcc then compiles as without training.

    Raises ValueError as `reach` does.
    """
    compiler_of(data)
    at, kept = 0, b""
    for one in _functions(data):
        if one.key in functions:
            kept, at = kept + data[at : one.start], one.end
    return kept + data[at:]


def as_one_run(data: bytes) -> bytes:
    """The same counters, said to be of one process in which some block ran `MOST` times.

    gcc takes for hot what ran more than once a process, and at least a given fraction as often as the most
    frequent block of the module (predict.cc, `maybe_hot_count_p`): a loop that one of fifty processes ran ten
    times would count as cold, and be compiled for size. And so a fraction means the same in every module.
    Raises ValueError for what is no counter file.
    """
    compiler_of(data)
    at = _summary(data)
    return data[:at] + struct.pack("<II", 1, MOST) + data[at + 8 :]


def _summary(data: bytes) -> int:
    """Where the summary's two numbers are: of processes, and of the most frequent block's runs."""
    if len(data) < _HEAD + 16 or struct.unpack_from("<Ii", data, _HEAD) != (_SUMMARY, 8):
        raise ValueError("no summary where gcc writes one")
    return _HEAD + _RECORD


def _functions(data: bytes) -> list[_Function]:
    """The functions whose counters a file holds; the record of one that another file holds is empty."""
    found: list[_Function] = []
    for tag, start, end in _records(data):
        if tag == _FUNCTION:
            key = data[start + _RECORD : end]
            found.append(_Function(key=key, start=start, end=end, ran=False))
        elif found:
            ran = found[-1].ran or (tag == _ARCS and any(data[start + _RECORD : end]))
            found[-1] = replace(found[-1], end=end, ran=ran)
    return [one for one in found if one.key]


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Tags, where their records start, and where they end: of counters that are all 0 that is the head."""
    at = _HEAD
    while at + _RECORD <= len(data):
        tag, length = struct.unpack_from("<Ii", data, at)
        end = at + _RECORD + max(0, length)
        if end > len(data) - len(_END):
            break
        yield tag, at, end
        at = end
    if data[at:] != _END:
        raise ValueError("the counter file is cut short")
