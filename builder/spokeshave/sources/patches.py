"""Applies the recipes' patches exactly: each hunk at its line, byte for byte, or nothing at all.

patch-ng parses. Its own `apply` is not used: it changes the working directory, takes a file that
looks patched already for a success, ignores what line endings a context line has, forgets a missing
newline at the end of a file and leaves the files before the failing one patched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import patch_ng

from spokeshave.errors import PatchError, StoreError
from spokeshave.sources.archive import SOURCE_EPOCH

_NOWHERE = b"/dev/null"


@dataclass(slots=True)
class _File:
    """What a file of the tree will be: its lines with their ends, or None where it is deleted."""

    lines: list[bytes] | None
    executable: bool = False


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Lines that stand at `start` (from 0) and those that shall stand there."""

    start: int
    old: list[bytes]
    new: list[bytes]


def apply_patches(tree: Path, patches: Sequence[tuple[str, bytes]]) -> None:
    """Applies unified diffs, given as pairs of name and content, with `-p1`, one after the other.

    All are applied in memory first. Raises PatchError, naming patch, file and hunk, where one does
    not apply exactly, and StoreError where the disk is full; then the tree is as it was.
    """
    tree = tree.resolve()
    files: dict[Path, _File] = {}
    for name, text in patches:
        for item, hunks in _parse(name, text):
            _apply(tree, files, name, item, hunks)
    try:
        _write(tree, files)
    except OSError as fault:
        raise StoreError(
            f"cannot write the patched files of {tree}: {fault}",
            next_step="check the free space and the permissions there",
        ) from fault


def _write(tree: Path, files: dict[Path, _File]) -> None:
    with TemporaryDirectory(dir=tree.parent, prefix=".patch-") as scratch:
        staged = {path: Path(scratch) / str(number) for number, path in enumerate(files)}
        for path, file in files.items():  # a full disk shows here, before the tree is touched
            staged[path].write_bytes(b"".join(file.lines or ()))
            staged[path].chmod(0o755 if file.executable else 0o644)
            os.utime(staged[path], (SOURCE_EPOCH, SOURCE_EPOCH))
        for path, file in files.items():
            if file.lines is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                staged[path].replace(path)


def _fail(name: str, why: str) -> NoReturn:
    raise PatchError(
        f"patch {name}: {why}",
        next_step="make it anew against the pinned source: edit a copy of the unpacked tree, then run "
        "`diff -ruN old new`",
    )


def _parse(name: str, text: bytes) -> list[tuple[Any, list[_Hunk]]]:
    """The patch's files (patch-ng's, untyped) with their hunks; complains of all it would skip."""
    lines = _lines(text + b"\n" * (not text.endswith(b"\n")))
    parsed = patch_ng.PatchSet()
    try:
        sound = parsed.parse(lines)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        sound = False  # patch-ng trips over some headers
    if not sound:
        _fail(name, "is not a well-formed unified diff")
    if len(re.findall(rb"^diff --git ", text, re.MULTILINE)) > len(parsed.items) or not all(
        item.hunks for item in parsed.items
    ):
        _fail(
            name,
            "renames, changes a mode alone, adds an empty file or is binary, which is not supported",
        )
    starts = [number for number, line in enumerate(lines) if line.startswith(b"@@ ")]
    if len(starts) != sum(len(item.hunks) for item in parsed.items):
        _fail(name, "has a malformed hunk header")
    rest = iter(starts)
    return [(item, [_hunk(name, h, lines, next(rest)) for h in item.hunks]) for item in parsed.items]


def _lines(text: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def _hunk(name: str, parsed: Any, lines: list[bytes], start: int) -> _Hunk:
    """The two sides of a hunk whose header is line `start` of the patch."""
    end = start + 1 + len(parsed.text)
    after = lines[end] if end < len(lines) else b""
    if after[:1] in (b"+", b"-", b" ") and not re.match(rb"--- |-- \r?\n", after):
        _fail(name, f"has more lines at line {end + 1} than the hunk's header counts")
    # patch-ng stops as soon as it has counted all lines, so before a last "\ No newline" mark.
    body = [*parsed.text, after] if after.startswith(b"\\") else parsed.text
    old: list[bytes] = []
    new: list[bytes] = []
    sides: tuple[list[bytes], ...] = ()
    for line in body:
        if line.startswith(b"\\"):
            for side in sides:
                side[-1] = side[-1].removesuffix(b"\n")
        else:
            sides = {b"-": (old,), b"+": (new,)}.get(line[:1], (old, new))
            for side in sides:
                side.append(line[1:])
    return _Hunk(parsed.startsrc - 1 if parsed.linessrc else parsed.startsrc, old, new)


def _apply(tree: Path, files: dict[Path, _File], name: str, item: Any, hunks: list[_Hunk]) -> None:
    """Applies one file's hunks to `files`, reading from the tree what is not there yet."""
    source, target = (_path(tree, name, item, side) for side in (item.source, item.target))
    path = target or source
    if not path or (source and target and source != target):
        names = [os.fsdecode(side) for side in (item.source, item.target)]
        _fail(name, f"renames a file from {names[0]} to {names[1]}, which is not supported")
    shown = path.relative_to(tree).as_posix()
    file = files.get(path) or _read(path)
    if source and file.lines is None:
        _fail(name, f"{shown} is not there")
    if not source and file.lines is not None:
        _fail(name, f"creates {shown}, which is there already")
    done: list[bytes] = []
    at = 0
    lines = file.lines or []
    for number, hunk in enumerate(hunks, 1):
        found = lines[hunk.start : hunk.start + len(hunk.old)]
        if hunk.start < at or hunk.start > len(lines) or found != hunk.old:
            _fail(name, f"hunk {number} of {shown} does not apply{_difference(hunk, found)}")
        done += lines[at : hunk.start] + hunk.new
        at = hunk.start + len(hunk.old)
    done += lines[at:]
    if not target and done:
        _fail(name, f"deletes {shown}, but leaves {len(done)} lines of it")
    executable = file.executable if item.filemode is None else bool(item.filemode & 0o111)
    files[path] = _File(done if target else None, executable)


def _difference(hunk: _Hunk, found: list[bytes]) -> str:
    for offset, (wanted, there) in enumerate(zip(hunk.old, found, strict=False)):
        if wanted != there:
            return f": line {hunk.start + offset + 1} is {there!r}, not {wanted!r}"
    return f": line {hunk.start + len(found) + 1} is beyond the end or in the hunk before"


def _path(tree: Path, name: str, item: Any, side: bytes) -> Path | None:
    """The file that one side of a diff means; None for /dev/null."""
    if side == _NOWHERE:
        return None
    # patch-ng has taken "a/" and "b/" off by itself where it recognises git or Mercurial.
    stripped = item is not None and item.type in (patch_ng.GIT, patch_ng.HG)
    relative = side if stripped else side.partition(b"/")[2]
    path = (tree / os.fsdecode(relative)).resolve()
    blocked = path.is_dir() or any(parent.is_file() for parent in path.parents)
    if not relative or blocked or not path.is_relative_to(tree):
        _fail(name, f"{os.fsdecode(side)} cannot be a file below the tree")
    return path


def _read(path: Path) -> _File:
    if not path.is_file():
        return _File(None)
    return _File(_lines(path.read_bytes()), bool(path.stat().st_mode & 0o111))
