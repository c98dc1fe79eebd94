"""Which processes of a run were recorded, and which only seen to start."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PATIENCE, _PAUSE = 3.0, 0.02  # seconds: helpers of multiprocessing end after their program


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """The start of a recorder: in a new Python (`start`) or in a forked process (`fork`).

    `token` differs for processes that have one number after another.
    """

    how: str
    pid: int
    parent: int
    token: str
    python: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Began:
    """A start of Python by process `pid` that the recorder should hear of.

    `way` is `exec` where the new Python replaces its process.
    """

    way: str
    pid: int
    number: int
    command: str


def unheard(starts: Sequence[Start], began: Sequence[Began]) -> list[str]:
    """The commands of Pythons that were seen to start and never reported.

    A wrapper between a program and its Python hides whose child that is: each such start stands for one that
    is missing elsewhere.
    """
    known = {start.pid for start in starts}
    new = [start for start in starts if start.how == "start"]
    children = Counter(start.parent for start in new)
    replaced = Counter(start.pid for start in new)
    forked = {start.pid for start in starts if start.how == "fork"}
    replaced.subtract(known - forked)  # the first one of each process is no replacement
    found = {"child": children, "exec": replaced}
    missing: list[str] = []
    for way, pid in dict.fromkeys((one.way, one.pid) for one in began):
        commands = [one.command for one in sorted(began, key=_by_number) if (one.way, one.pid) == (way, pid)]
        missing += commands[max(found[way][pid], 0) :]
    strays = sum(start.parent not in known for start in new) - 1  # the command itself is one
    return missing[max(strays, 0) :]


def _by_number(one: Began) -> int:
    return one.number


def still_running(starts: Sequence[Start], patience: float = _PATIENCE) -> list[int]:
    """The processes that a run has left behind, `patience` seconds after its end."""
    left, end = {start.pid for start in starts}, time.monotonic() + patience
    while (left := {pid for pid in left if _is_running(pid)}) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return sorted(left)


def _is_running(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")
