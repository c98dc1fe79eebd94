"""`spokeshave verify` on a small project: its own tests, beside a stock wheel that the test makes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from shaveling import CORE, FILES
from smallproject import Run, Small, ready_small
from spokeshave.inside import wheel as wheels
from spokeshave.inside.model import file_sha256


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Built by the engine that `verify` will take by itself, as it has no option for another one."""
    return ready_small(tmp_path_factory, "verify")


@pytest.fixture(scope="module")
def wheel(small: Small) -> Path:
    return Path(small.build().built["wheel"])


@pytest.fixture(scope="module")
def stock(small: Small, wheel: Path) -> Path:
    """What upstream would have published: the same build, whole and with its tests, under its version."""
    tree = wheels.unpack(wheel, small.folder / "stock")
    with zipfile.ZipFile(wheels.beside(wheel, wheels.TESTS_ARCHIVE)) as archive:
        archive.extractall(tree)
    (tree / "shaveling" / "extra.py").unlink()
    for file in ("shaveling/extra/__init__.py", "shaveling/extra/tests/test_extra.py"):
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        (tree / file).write_text(FILES[file])
    name = wheels.relabel(wheels.parse_name(wheel.name), version="1.0", platform="manylinux_2_28_x86_64")
    info = wheels.dist_info_of(tree)
    wheels.set_metadata(info, version="1.0", requires=())
    wheels.set_tags(info, name)
    return wheels.pack(tree, small.folder / "links", name)


# Fails in ours while other tests run beside it, and passes alone.
FLAKY = """

def test_alone(request):
    import importlib.metadata
    ours = "+" in importlib.metadata.version("shaveling")
    assert not (ours and len(request.session.items) > 1)
"""


def verify(small: Small, wheel: Path) -> tuple[Run, dict[str, Any]]:
    proofs = str(small.folder / "proofs")
    run = small.start("verify", str(wheel), "--level", "smoke", "--record", proofs, "--json").end()
    (report,) = json.loads(run.stdout) if run.stdout else ({},)
    return run, report


def test_without_a_stock_wheel_nothing_is_proved(small: Small, wheel: Path) -> None:
    run, _ = verify(small, wheel)
    assert run.code == 40, run.stderr
    assert "pins no PyPI wheel" in run.stderr
    assert "[versions.stock]" in run.stderr


def test_a_wheel_that_does_all_that_stock_does_passes(small: Small, wheel: Path, stock: Path) -> None:
    small.write(stock=stock)
    run, report = verify(small, wheel)
    assert run.code == 0, run.stderr
    assert report["passed"]
    assert report["faults"] == []
    found = report["comparison"]
    assert (found["ours"], found["stock"]) == ({"passed": 3, "removed": 1}, {"passed": 5})
    needs = "shaveling/tests/test_core.py::test_that_needs_extra"
    assert found["removed"] == {"extra": ["shaveling/extra/tests/test_extra.py::test_more", needs]}
    assert report["imported"] == 1
    beside = wheel.with_name(wheel.name.replace(".whl", ".verify.json"))
    assert json.loads(beside.read_text()) == report
    again, second = verify(small, wheel)
    assert second == report
    assert "verified before (smoke), nothing has changed" in again.stderr


def test_a_name_that_only_stock_has_fails_the_wheel(small: Small, wheel: Path, stock: Path) -> None:
    whole = stock.read_bytes()
    tree = wheels.unpack(stock, small.folder / "named")
    core = tree / "shaveling" / "__init__.py"
    core.write_text(f"{core.read_text()}\nonly_here = 1\n")
    try:
        wheels.pack(tree, stock.parent, wheels.parse_name(stock.name))
        small.write(stock=stock)
        run, report = verify(small, wheel)
    finally:
        stock.write_bytes(whole)
    assert run.code == 40, run.stderr
    assert report["faults"] == ["dir(shaveling) lacks only_here"]


def test_a_level_without_tests_takes_no_proof_away(small: Small, wheel: Path, stock: Path) -> None:
    """The recipe has tests for the level smoke alone; after a failure nothing that is stored is reused."""
    small.write(stock=stock)
    run, smoke = verify(small, wheel)
    assert run.code == 0, run.stderr
    core = small.start("verify", str(wheel), "--level", "core").end()
    assert core.code == 0, core.stderr
    beside = wheel.with_name(wheel.name.replace(".whl", ".verify.json"))
    assert f"{beside.name} is kept: its level smoke (passed) covers more than core" in core.stderr
    assert json.loads(beside.read_text()) == smoke
    beside.write_text(json.dumps({**smoke, "passed": False}))
    again, report = verify(small, wheel)
    assert "verified before" not in again.stderr
    assert report == smoke


def slim(small: Small, stock: Path) -> Path:
    small.write(stock=stock)
    folder = small.folder / "slim"
    made = small.start("slim", str(stock), "--output", str(folder), "--no-check").end()
    assert made.code == 0, made.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def verify_slim(small: Small, wheel: Path) -> tuple[Run, dict[str, Any]]:
    run = small.start("verify", str(wheel), "--level", "smoke", "--json").end()
    (report,) = json.loads(run.stdout) if run.stdout else ({},)
    return run, report


def test_slim_wheel_that_does_all_that_pypi_s_does_passes(small: Small, stock: Path) -> None:
    wheel = slim(small, stock)
    run, report = verify_slim(small, wheel)
    assert run.code == 0, run.stderr
    assert report["faults"] == []
    assert report["comparison"]["ours"] == report["comparison"]["stock"] == {"passed": 5}
    beside = wheel.with_name(wheel.name.replace(".whl", ".verify.json"))
    assert json.loads(beside.read_text()) == report


def test_slim_wheel_that_loses_a_test_fails(small: Small, stock: Path) -> None:
    wheel = slim(small, stock)
    tree = wheels.unpack(wheel, small.folder / "broken")
    core = tree / "shaveling" / "__init__.py"
    core.write_text(f"{core.read_text()}\ngrow = float\n")
    wheels.pack(tree, wheel.parent, wheels.parse_name(wheel.name))
    record = wheels.beside(wheel, ".slim.json")
    data = json.loads(record.read_text())
    data["wheel"]["sha256"] = file_sha256(wheel)
    record.write_text(json.dumps(data))
    run, report = verify_slim(small, wheel)
    assert run.code == 40, run.stderr
    assert [fault for fault in report["faults"] if fault.startswith("lost: shaveling/tests/test_core.py::")]


def test_a_test_that_is_lost_fails_the_wheel(small: Small, stock: Path) -> None:
    small.write({"src/core.c": CORE.replace("exp(PyFloat", "1 + exp(PyFloat")}, stock=stock)
    run, report = verify(small, Path(small.build().built["wheel"]))
    assert run.code == 40, run.stderr
    assert report["faults"] == ["lost: shaveling/tests/test_core.py::test_grow[0.0] (passed -> failed)"]
    (loss,) = report["comparison"]["losses"]
    assert "assert 2.0 == 1.0" in loss["reason"]
    assert report["flaky"] == {}
    assert "1 of 1 wheels failed" in run.stderr
    (record,) = (small.folder / "proofs").rglob("*.json")  # that of the wheel before
    assert json.loads(record.read_text())["passed"]


def test_a_flaky_test_is_told_with_all_its_outcomes(small: Small, stock: Path) -> None:
    tests = "shaveling/tests/test_core.py"
    tree = wheels.unpack(stock, small.folder / "flaky")
    (tree / tests).write_text(FILES[tests] + FLAKY)
    whole = stock.read_bytes()
    try:
        wheels.pack(tree, stock.parent, wheels.parse_name(stock.name))
        small.write({tests: FILES[tests] + FLAKY}, stock=stock)
        run, report = verify(small, Path(small.build().built["wheel"]))
    finally:
        stock.write_bytes(whole)
    assert run.code == 0, run.stderr
    name = f"{tests}::test_alone"
    assert report["flaky"] == {name: ["failed", "passed", "passed"]}
    assert report["comparison"]["ours"] == {"passed": 4, "removed": 1}
    shown = small.start("verify", str(small.folder / "out" / report["wheel"]), "--level", "smoke").end()
    assert f"flaky: {name}: failed, passed, passed" in shown.stdout


def test_a_wheel_without_what_the_recipe_promises_fails(small: Small, wheel: Path, stock: Path) -> None:
    small.write(stock=stock)
    recipe = small.folder / "recipes" / "shaveling" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("present = [", 'present = ["shaveling/gone.py", '))
    rebuilt = Path(small.build().built["wheel"])
    assert rebuilt == wheel
    run, report = verify(small, wheel)
    assert run.code == 40, run.stderr
    assert report["faults"] == ["no file fits 'shaveling/gone.py'"]
