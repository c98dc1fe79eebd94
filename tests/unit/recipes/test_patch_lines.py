"""Tracebacks have upstream's line numbers: patches of recipes keep the count of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import RECIPES

PATCHES = sorted(RECIPES.glob("*/patches/*.patch"))
FILE = re.compile(r"^--- (\S+).*\n\+\+\+ (\S+).*\n((?:[@ +\-\\].*\n|\n)*?)(?=--- |diff |\Z)", re.M)
HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@.*$", re.M)
TRACED = (".py", ".pyx", ".pxi")
FUNCTION = re.compile(r"\s*(?:async def|def|class|cdef class|cpdef)\b|\s*@\w")


def faults(patch: str) -> Iterator[str]:
    """The places where a patch moves lines of a file that tracebacks name: `file:line`, upstream's."""
    for source, target, hunks in FILE.findall(patch):
        if not target.endswith(TRACED) or source == "/dev/null":
            continue
        _, *rows = HUNK.split(hunks)
        for start, patched, body in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
            if start != patched or any(_moved(body.splitlines()[1:])):
                yield f"{target.removeprefix('b/')}:{start}"


def _moved(lines: list[str]) -> Iterator[bool]:
    """For each function of a hunk that is upstream's, and for its end: whether it has another line."""
    old = new = 0
    for line in lines:
        if line[:1] in " " and FUNCTION.match(line[1:]):
            yield old != new
        old += line[:1] not in ("+", "\\")
        new += line[:1] not in ("-", "\\")
    if not lines[-1].startswith("+"):  # else the file ends here: what is added there moves nothing
        yield old != new


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: f"{path.parts[-3]}-{path.name[:4]}")
def test_patches_of_recipes_keep_line_numbers(path: Path) -> None:
    text = path.read_text("utf-8")
    assert FILE.search(text), f"{path}: no file of a unified diff was found in it"
    moved = list(faults(text))
    assert not moved, (
        f"{path.name} moves lines, so that tracebacks name others than upstream's: {', '.join(moved)}; "
        "take as many lines out of each hunk as it adds (blank lines, a statement over two lines)"
    )


HEAD = "why\n\n--- a/kit.py\n+++ b/kit.py\n@@ -1,4 +1,4 @@\n"


def test_faults_a_moved_function_is_found_in_a_balanced_hunk() -> None:
    body = "+import os\n def solve():\n     pass\n-\n \n"
    assert list(faults(HEAD + body)) == ["kit.py:1"]
    body = " def solve():\n-    pass\n-\n+    return 1\n+\n \n"
    assert list(faults(HEAD + body)) == []


def test_faults_more_lines_than_before_are_found() -> None:
    longer = HEAD.replace("+1,4", "+1,5") + " def solve():\n+    pass\n     return 1\n"
    assert list(faults(longer)) == ["kit.py:1"]
    later = HEAD.replace("-1,4 +1,4", "-9,4 +8,4") + " a\n-b\n+c\n"
    assert list(faults(later)) == ["kit.py:9"]
