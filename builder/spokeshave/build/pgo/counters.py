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
class Function:
    """One function of a counter file, and from where to where its records go.

    `key` is gcc's number and its checksums of it: copies of an inline function have the same in all objects.
    """

    key: bytes
    start: int
    end: int
    ran: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CounterFile:
    """A counter file as it was read.

    `compiler` is gcc's version as it stands there, for example `B42*` for gcc 14.2; `processes` is how many
    wrote into the file as they ended; `functions` are those of which it holds profile data.
    """

    data: bytes
    compiler: str
    processes: int
    functions: tuple[Function, ...]

    @property
    def ran(self) -> frozenset[bytes]:
        """The functions that ran, by key."""
        return frozenset(one.key for one in self.functions if one.ran)

    def as_one_run(self, *, without: Collection[bytes] = ()) -> bytes:
        """The same profile data, said to be of one process in which some block ran `MOST` times.

        gcc takes for hot what ran more than once a process, and at least a given fraction as often as the
        most frequent block of the module (predict.cc, `maybe_hot_count_p`): a loop that one of fifty
        processes ran ten times would count as cold, and be compiled for size. And so a fraction means the
        same in every module. Those of the functions `without` are dropped: gcc compiles these as without
        profile data.
        """
        at = _HEAD + _RECORD
        kept = self.data[:at] + struct.pack("<II", 1, MOST)
        at += 8
        for one in self.functions:
            if one.key in without:
                kept, at = kept + self.data[at : one.start], one.end
        return kept + self.data[at:]


def read_counters(data: bytes) -> CounterFile:
    """Raises ValueError for what is cut short, or no counter file of gcc's."""
    if len(data) < _HEAD or not data.startswith(_MAGIC):
        raise ValueError("no counter file of gcc's")
    if len(data) < _HEAD + 16:
        raise ValueError("the counter file is cut short")
    if struct.unpack_from("<Ii", data, _HEAD) != (_SUMMARY, 8):
        raise ValueError("no summary where gcc writes one")
    return CounterFile(
        data=data,
        compiler=data[4:8][::-1].decode("ascii", "replace"),
        processes=struct.unpack_from("<I", data, _HEAD + _RECORD)[0],
        functions=_functions(data),
    )


def _functions(data: bytes) -> tuple[Function, ...]:
    """The functions of which a file holds profile data; one that another file holds is empty."""
    found: list[Function] = []
    for tag, start, end in _records(data):
        if tag == _FUNCTION:
            key = data[start + _RECORD : end]
            found.append(Function(key=key, start=start, end=end, ran=False))
        elif found:
            ran = found[-1].ran or (tag == _ARCS and any(data[start + _RECORD : end]))
            found[-1] = replace(found[-1], end=end, ran=ran)
    return tuple(one for one in found if one.key)


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Tags, where their records start, and where they end: of arcs that are all 0 that is the head."""
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
