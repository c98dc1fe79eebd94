"""Verification reports (`.verify.json`): shape, worth, and which of two is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spokeshave.machine.files import alone_with, write_whole

LEVELS = ("imports", "upstream", "smoke", "core", "full")
"""The levels of a report; each covers more than those before it."""

FAILED = "it failed"
NOTHING_SHOWN = "no module was imported and no test passed"


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """The verdict on one wheel, of `verify` or of `slim`. `passed` is true only if no list holds a fault.

    `place` names the test environment. `judge` is the digest of our code that ran and judged the tests; older
    reports have none. `flaky` maps tests to the outcomes of all their runs.
    """

    wheel: str
    sha256: str
    plan: str
    level: str
    place: str
    faults: tuple[str, ...]
    imported: int
    comparison: Mapping[str, Any] | None
    flaky: Mapping[str, tuple[str, ...]]
    passed: bool
    judge: str = ""

    def to_json(self) -> Mapping[str, Any]:
        """The report as it is written next to the wheel."""
        return asdict(self)

    def text(self) -> str:
        """The text of the file."""
        return _text(self.to_json())


def report_from_json(data: Mapping[str, Any]) -> VerifyReport:
    """The inverse of `VerifyReport.to_json`."""
    return VerifyReport(**{**data, "faults": tuple(data["faults"])})


def shows_something(imported: object, passed: object) -> bool:
    """Whether a run is evidence at all: it has imported a module, or an upstream test has passed."""
    return any(isinstance(count, int) and count > 0 for count in (imported, passed))


def fault_of(record: Mapping[str, Any]) -> str:
    """Why a record verifies nothing, whatever it says of itself; empty where it does.

    Raises KeyError or TypeError for what is no such record.
    """
    if record["passed"] is not True:
        return FAILED
    counts = (record.get("comparison") or {}).get("ours") or {}
    return "" if shows_something(record.get("imported"), counts.get("passed")) else NOTHING_SHOWN


def rank(level: object) -> int:
    """How much a level shows: least where there is none (None), then what is unknown, then in their order."""
    if level in LEVELS:
        return LEVELS.index(level) + 1
    return -1 if level is None else 0


def _strength(record: Mapping[str, Any]) -> tuple[bool, int]:
    """Tests compared with the PyPI wheel's count first: a recipe may give a level none."""
    return bool(record.get("comparison")), rank(record.get("level"))


def read(path: Path) -> Mapping[str, Any] | None:
    """The record in a file; None where there is none that can be read."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def same_subject(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records are about the same bytes, judged by the same code of ours."""
    keys = ("sha256", "judge")
    return all(one.get(key) and one.get(key) == other.get(key) for key in keys)


def _says_more(before: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a record shows more of the same bytes; a failure counts only by the code that judges today."""
    same_bytes = bool(before.get("sha256")) and before["sha256"] == record["sha256"]
    if not same_bytes or _strength(before) <= _strength(record):
        return False
    try:
        return not fault_of(before) or same_subject(before, record)
    except (KeyError, TypeError):  # no record of ours
        return False


def put(path: Path, record: Mapping[str, Any]) -> str:
    """Writes a record, unless the one that is there says more of the same wheel; returns what it kept.

    A run of a higher level has the tests of the lower ones. A lower one that passes therefore adds nothing:
    it does not replace the higher one, whether that passed or failed. A lower one that fails contradicts the
    higher one, however little it ran, and replaces it.
    """
    with alone_with(path):  # another run may write one of the same wheel
        before = read(path)
        if before is not None and not fault_of(record) and _says_more(before, record):
            verdict = "failed" if fault_of(before) else "passed"
            level = before.get("level")
            return f"{path.name} is kept: its level {level} ({verdict}) covers more than {record['level']}"
        write_whole(path, _text(record))
    return ""


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def failed_before(path: Path, record: Mapping[str, Any]) -> bool:
    """Whether the record in a file is about the same bytes, by the same judge, and failed."""
    before = read(path)
    return before is not None and same_subject(before, record) and bool(fault_of(before))
