"""Which processes were recorded: starts of the recorder against starts of Python that others saw."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from spokeshave.trace.processes import Began, Start, still_running, unheard

ROOT = ("start", 1, 0)


def start(how: str, pid: int, parent: int) -> Start:
    return Start(how=how, pid=pid, parent=parent, token=f"{how}{pid}{parent}", python="")


def began(*rows: tuple[str, int]) -> list[Began]:
    return [
        Began(way=way, pid=pid, number=number, command=f"{way} {number}")
        for number, (way, pid) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("starts", "rows", "expected"),
    [
        ([ROOT], [], []),
        ([ROOT], [("child", 1)], ["child 0"]),
        ([ROOT, ("start", 2, 1)], [("child", 1)], []),
        ([ROOT, ("start", 2, 1)], [("child", 1), ("child", 1)], ["child 1"]),
        ([ROOT, ("fork", 2, 1)], [("child", 1)], ["child 0"]),
        ([ROOT, ("start", 3, 7)], [("child", 1)], []),  # behind a wrapper
        ([ROOT, ("start", 1, 0)], [("exec", 1)], []),
        ([ROOT], [("exec", 1)], ["exec 0"]),
        ([ROOT, ("fork", 2, 1), ("start", 2, 1)], [("exec", 2)], []),
        ([ROOT, ("fork", 2, 1)], [("exec", 2)], ["exec 0"]),
        ([], [], []),
    ],
)
def test_unheard_is_what_no_start_accounts_for(
    starts: list[tuple[str, int, int]], rows: list[tuple[str, int]], expected: list[str]
) -> None:
    found = [start(*row) for row in starts]
    assert unheard(found, began(*rows)) == expected


def test_still_running_waits_for_processes_that_are_ending() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"])
    assert still_running([start("start", child.pid, 1)], patience=30) == []
    assert still_running([start("start", os.getpid(), 1)], patience=0) == [os.getpid()]
    child.wait()
