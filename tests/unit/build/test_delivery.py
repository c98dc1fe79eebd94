"""What `build` puts next to a wheel, and what `verify` reads there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spokeshave.build import delivery
from spokeshave.build.wheelhouse import candidates
from spokeshave.context import Context
from spokeshave.errors import WheelError
from spokeshave.inside.model import file_sha256
from spokeshave.inside.wheel import TESTS_ARCHIVE, archives_of_tests, beside
from support import demo_files, make_context, shipped_plan, write_wheel

PLAN = shipped_plan("openblas")
OLD = ".tests.zip"
PIECES = (TESTS_ARCHIVE, OLD)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return make_context(tmp_path)


def entry(folder: Path, ending: str) -> Path:
    """A finished build as the store holds it, its tests archive under that ending."""
    name = f"slim_openblas-{PLAN.local_version}-py3-none-any.whl"
    wheel = write_wheel(folder / name, demo_files("slim_openblas", PLAN.local_version))
    tests = beside(wheel, ending)
    tests.write_bytes(b"tests")
    record = {
        "wheel": {"sha256": file_sha256(wheel)},
        "build_plan": PLAN.to_json(),
        "tests": {"name": tests.name, "sha256": file_sha256(tests)},
    }
    (folder / "record.json").write_text(json.dumps(record))
    return folder


@pytest.mark.parametrize("ending", PIECES)
def test_deliver_tests_archive_gets_todays_name_and_replaces_the_old(
    context: Context, tmp_path: Path, ending: str
) -> None:
    house = tmp_path / "wheelhouse"
    built = delivery.load_built(entry(tmp_path / "entry", ending), PLAN.digest, cached=True)
    house.mkdir()
    beside(house / built.wheel.name, OLD).write_bytes(b"of an earlier build")
    (wheel,) = delivery.deliver(context, (PLAN,), {PLAN.recipe: built}, house)
    assert archives_of_tests(wheel) == [beside(wheel, TESTS_ARCHIVE)]
    (candidate,) = candidates(context, (wheel,))
    assert candidate.own.tests == beside(wheel, TESTS_ARCHIVE)
    assert candidate.own.tests is not None
    assert candidate.own.tests.read_bytes() == b"tests"


def test_verify_wheelhouse_of_an_earlier_build_is_read(context: Context, tmp_path: Path) -> None:
    folder = entry(tmp_path / "wheelhouse", OLD)
    wheel = next(folder.glob("*.whl"))
    (folder / "record.json").rename(beside(wheel, ".record.json"))
    beside(wheel, TESTS_ARCHIVE).write_bytes(b"of another build")
    (candidate,) = candidates(context, (wheel,))
    assert candidate.own.tests == beside(wheel, OLD)
    beside(wheel, OLD).unlink()
    with pytest.raises(WheelError, match=r"tests\.zip is not next to"):
        candidates(context, (wheel,))


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["build_plan"]["compile"].update(edits=[]),
        lambda record: record["build_plan"].pop("unlinked"),
        lambda record: record["build_plan"].pop("offers"),
        lambda record: record["build_plan"].update(levers=[{"name": "tests", "options": []}]),
        lambda record: record.pop("tests"),
        lambda record: record.clear(),
    ],
)
def test_candidates_record_of_another_version_is_said_to_be(
    context: Context, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    folder = entry(tmp_path / "wheelhouse", TESTS_ARCHIVE)
    (wheel,) = folder.glob("*.whl")
    record = json.loads((folder / "record.json").read_text())
    change(record)
    beside(wheel, ".record.json").write_text(json.dumps(record))
    with pytest.raises(WheelError, match=r"record\.json is of another version of spokeshave") as caught:
        candidates(context, (wheel,))
    assert "build the wheel again" in caught.value.next_step


def test_candidates_file_that_is_missing_is_said_to_be(context: Context, tmp_path: Path) -> None:
    """Also where a shell passed a pattern on because nothing matched it."""
    for name in ("demo-1.0-py3-none-any.whl", "*+lean*.whl"):
        with pytest.raises(WheelError, match=r"\.whl: no such file") as caught:
            candidates(context, (tmp_path / name,))
        assert "`spokeshave build`" in caught.value.next_step


def test_candidates_slim_wheel_is_named_as_one(context: Context, tmp_path: Path) -> None:
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    with pytest.raises(WheelError, match=r"record\.json is not next to it"):
        candidates(context, (wheel,))
    beside(wheel, ".slim.json").write_text("{}")
    with pytest.raises(WheelError, match="`spokeshave slim` made it") as caught:
        candidates(context, (wheel,))
    assert "has checked its own" in caught.value.next_step
