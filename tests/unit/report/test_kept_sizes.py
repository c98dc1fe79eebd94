"""Sizes that the store keeps: taken for the very same wheel, and for no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spokeshave.inside.model import file_sha256
from spokeshave.inside.sizes import sizes
from spokeshave.machine.store import Store
from spokeshave.report import kept_sizes
from spokeshave.report.kept_sizes import kept_measure
from spokeshave.report.summary import make_report, to_json
from support import demo_files, shipped_plan, write_wheel

NAME = "demo-1.0-cp311-cp311-linux_x86_64.whl"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(root=tmp_path / "cache", say=print)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return write_wheel(tmp_path / NAME, demo_files())


def test_kept_measure_second_time_reads_no_file_of_the_wheel(store: Store, wheel: Path) -> None:
    heard: list[str] = []
    first, second = (kept_measure(store, heard.append)(wheel, "cp311") for _ in range(2))
    assert first.sizes == second.sizes == sizes(wheel, "cp311")
    assert (first.kept, second.kept) == (False, True)
    assert heard.count("demo/__init__.py") == 1


def test_kept_measure_changed_wheel_of_the_same_name_is_measured_again(store: Store, wheel: Path) -> None:
    before = kept_measure(store, print)(wheel, "cp311")
    write_wheel(wheel, {**demo_files(), "demo/more.py": b"more = 1\n" * 50})
    after = kept_measure(store, print)(wheel, "cp311")
    assert not after.kept
    assert after.sizes.unpacked > before.sizes.unpacked


@pytest.mark.parametrize("what", ["code", "interpreter"])
def test_kept_measure_other_code_or_interpreter_measures_again(
    store: Store, wheel: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(kept_sizes, "can_compile_for", lambda python: True)
    assert not kept_measure(store, print)(wheel, "cp311").kept
    if what == "code":
        monkeypatch.setattr("spokeshave.own_code.code_digest", lambda stage: "another")
    else:
        monkeypatch.setattr("sys.version", "another")
    assert not kept_measure(store, print)(wheel, "cp311").kept


def test_kept_measure_damaged_entry_is_measured_again(store: Store, wheel: Path) -> None:
    kept_measure(store, print)(wheel, "cp311")
    (path,) = store.root.glob("entries/sizes/*/sizes.json")
    path.write_text(path.read_text().replace('"unpacked": ', '"unpacked": 9'))
    again = kept_measure(store, print)(wheel, "cp311")
    assert not again.kept and again.sizes == sizes(wheel, "cp311")


def test_report_json_says_which_sizes_are_from_the_store(store: Store, tmp_path: Path, wheel: Path) -> None:
    plan = shipped_plan("numpy")
    record = {
        **{"plan": plan.digest, "wheel": {"sha256": file_sha256(wheel)}},
        **{"build_plan": plan.to_json(), "levers": []},
    }
    wheel.with_name(NAME.replace(".whl", ".record.json")).write_text(json.dumps(record))
    stock = write_wheel(tmp_path / "stock" / NAME, {**demo_files(), "demo/big.py": b"#" * 900})
    kept_measure(store, print)(wheel, "cp311")
    told = [to_json(make_report([wheel], [stock], {}, kept_measure(store, print))) for _ in range(2)]
    assert [one.pop("from_store") for one in told] == [[NAME], [NAME, NAME]]
    assert told[0] == told[1], "nothing else depends on where the sizes come from"
