"""Which records of verification count, and which of two is kept with a wheel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spokeshave import verdict

COMPARED = {"ours": {"passed": 9}}


def record(level: str = "core", **changes: Any) -> dict[str, Any]:
    base = {"sha256": "a" * 64, "judge": "j" * 64, "level": level, "passed": True, "imported": 3}
    return {**base, "comparison": COMPARED, **changes}


def put(folder: Path, *records: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What lies there after all were put there, and what was said of the last one."""
    said = [verdict.put(folder / "x.verify.json", one) for one in records][-1]
    return json.loads((folder / "x.verify.json").read_text()), said


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"comparison": None}, ""),
        ({"imported": 0}, ""),
        ({"imported": 0, "comparison": None}, verdict.NOTHING_SHOWN),
        ({"imported": 0, "comparison": {"ours": {"skipped": 4}}}, verdict.NOTHING_SHOWN),
        ({"imported": None, "comparison": {}}, verdict.NOTHING_SHOWN),
        ({"passed": False}, "it failed"),
        ({"passed": "true"}, "it failed"),
    ],
)
def test_fault_of_nothing_tried_is_no_evidence(changes: dict[str, Any], fault: str) -> None:
    assert verdict.fault_of(record(**changes)) == fault


@pytest.mark.parametrize("failed", [False, True])
def test_put_a_weaker_run_that_passes_leaves_the_stronger_record(tmp_path: Path, failed: bool) -> None:
    """It adds nothing to one that passed, and makes nothing good that failed with more tests."""
    core = record("core", passed=not failed, imported=4)
    there, said = put(tmp_path, core, record("smoke"))
    assert there == core
    word = "failed" if failed else "passed"
    assert said == f"x.verify.json is kept: its level core ({word}) covers more than smoke"


def test_put_a_weaker_run_that_fails_is_not_hidden(tmp_path: Path) -> None:
    smoke = record("smoke", passed=False)
    assert put(tmp_path, record("full"), smoke) == (smoke, "")
    nothing = record("smoke", imported=0, comparison=None)
    assert put(tmp_path, record("full"), nothing) == (nothing, "")
    full = record("full")
    assert put(tmp_path, smoke, full) == (full, ""), "a stronger one answers it"


def test_put_of_another_wheel_replaces_the_record(tmp_path: Path) -> None:
    smoke = record("smoke")
    assert put(tmp_path, record("full", sha256="b" * 64), smoke) == (smoke, "")


@pytest.mark.parametrize("judge", ["k" * 64, "", None])
def test_put_beside_a_record_of_an_older_judge_keeps_its_pass_alone(
    tmp_path: Path, judge: str | None
) -> None:
    """As `publish` does, which takes a pass for the same bytes; what failed may be mended in our code."""
    full, smoke = record("full", judge=judge), record("smoke")
    assert put(tmp_path, full, smoke)[0] == full
    assert put(tmp_path, {**full, "passed": False}, smoke) == (smoke, "")


def test_put_tests_show_more_than_a_level_without_any(tmp_path: Path) -> None:
    smoke = record("smoke")
    assert put(tmp_path, record("core", comparison=None), smoke) == (smoke, "")
    assert put(tmp_path, smoke, record("core", comparison=None))[0] == smoke


def test_put_what_is_no_record_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.verify.json").write_text("[]")
    assert put(tmp_path, record()) == (record(), "")


def test_failed_before_is_about_the_same_wheel_and_judge(tmp_path: Path) -> None:
    path = tmp_path / "x.verify.json"
    assert not verdict.failed_before(path, record())
    put(tmp_path, record("smoke", passed=False))
    assert verdict.failed_before(path, {"sha256": "a" * 64, "judge": "j" * 64})
    assert not verdict.failed_before(path, {"sha256": "b" * 64, "judge": "j" * 64})
    put(tmp_path, record("full"))
    assert not verdict.failed_before(path, record())


def test_rank_goes_from_nothing_to_full() -> None:
    order = [None, "other", "imports", "upstream", "smoke", "core", "full"]
    assert sorted(reversed(order), key=verdict.rank) == order
