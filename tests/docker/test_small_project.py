"""A small real C extension through the whole tool, in containers and on the host."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from smallproject import ENGINES, Run, Small, engine_fault
from spokeshave.inside.model import file_sha256
from spokeshave.inside.wheel import TESTS_ARCHIVE, beside
from venvs import fresh_python

QUESTION = """
import json, shaveling, shaveling._core as core
names = ("cold_is_small", "core_is_small", "file")
print(json.dumps({"answer": shaveling.answer, "e": core.grow(1.0), **{n: getattr(core, n) for n in names}}))
"""


@pytest.fixture(scope="module", params=ENGINES)
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Small:
    if fault := engine_fault(request.param):
        pytest.skip(fault)
    folder = tmp_path_factory.mktemp(f"small-{request.param}")
    # A user's own settings must not find their way into a wheel.
    strange = {
        "CC": "false",
        "CFLAGS": "-DSTRANGE -O1",
        "CIBW_BEFORE_BUILD": "false",
        "PYTHONPATH": str(folder),
    }
    made = Small(folder=folder, cache=folder / "cache", engine=request.param, extra_env=strange)
    made.write()
    return made


@pytest.fixture(scope="module")
def first(small: Small) -> Run:
    return small.build()


@pytest.fixture(scope="module")
def wheel(first: Run) -> Path:
    return Path(first.built["wheel"])


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def answers(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the wheel says of itself, installed into a fresh venv."""
    python = fresh_python(tmp_path_factory.mktemp("fresh") / "venv", wheel)
    found = subprocess.check_output([str(python), "-I", "-c", QUESTION], text=True)
    return dict(json.loads(found))


def test_the_wheel_works_in_a_fresh_venv(answers: dict[str, Any]) -> None:
    assert answers["e"] == pytest.approx(2.718281828)
    assert answers["answer"] == 42, "the recipe's patch is in it"


def test_parts_have_their_levels(answers: dict[str, Any]) -> None:
    assert (answers["cold_is_small"], answers["core_is_small"]) == (1, 0)


def test_no_path_of_this_machine_is_in_it(answers: dict[str, Any], small: Small, wheel: Path) -> None:
    assert answers["file"] == "../src/core.c"
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            assert str(small.folder).encode() not in archive.read(name), name


def test_the_name_says_profile_and_reach(small: Small, wheel: Path) -> None:
    found = re.fullmatch(r"shaveling-1\.0\+tiny\.1-cp311-cp311-(\S+)\.whl", wheel.name)
    assert found, wheel.name
    reach = [int(minor) for minor in re.findall(r"manylinux_2_(\d+)_x86_64", found[1])]
    if small.engine == "docker":
        assert min(reach) <= 28, "exp() would ask for glibc 2.29 without the pins"


def test_what_the_profile_takes_out_is_gone(names: set[str], wheel: Path) -> None:
    tests = {n for n in names if "/tests/" in n or "_test_helper" in n}
    assert tests == {"shaveling/tests/__init__.py", "shaveling/_test_helper.py"}, "their stubs"
    assert [n for n in names if n.endswith((".pyi", "py.typed", ".h"))] == []
    assert "shaveling/networks.txt" in names
    with zipfile.ZipFile(wheel) as archive:
        assert b"does without" not in archive.read("shaveling/__init__.py")


def test_the_tests_are_in_their_archive(wheel: Path) -> None:
    with zipfile.ZipFile(beside(wheel, TESTS_ARCHIVE)) as archive:
        found = archive.namelist()
    assert "shaveling/tests/test_core.py" in found
    assert any(name.startswith("shaveling/_test_helper.") for name in found)


def test_a_stub_names_the_tests_archive(wheel: Path) -> None:
    archive = beside(wheel, TESTS_ARCHIVE)
    with zipfile.ZipFile(wheel) as files:
        assert b"import missing" in files.read("shaveling/tests/__init__.py")
        assert f"zipfile -e {archive.name} ".encode() in files.read("shaveling/_tests_archive.py")


def test_a_removed_component_leaves_a_stub(names: set[str], wheel: Path) -> None:
    assert [name for name in names if "extra" in name] == ["shaveling/extra.py"]
    with zipfile.ZipFile(wheel) as archive:
        assert b"removes component 'extra' (nobody needs it here)" in archive.read("shaveling/extra.py")
    record = json.loads(wheel.with_name(wheel.name.replace(".whl", ".record.json")).read_text())
    (row,) = record["components"]
    assert (row["name"], row["files"]) == ("extra", 2), "the compile has all components"


def test_licence_and_sbom_are_in_it(names: set[str], wheel: Path) -> None:
    info = "shaveling-1.0+tiny.1.dist-info"
    assert {f"{info}/licenses/Vendored/LICENSE", f"{info}/sboms/spokeshave.cdx.json"} <= names
    with zipfile.ZipFile(wheel) as archive:
        sbom = json.loads(archive.read(f"{info}/sboms/spokeshave.cdx.json"))
        metadata = archive.read(f"{info}/METADATA").decode()
    assert [part["name"] for part in sbom["components"]] == ["Vendored"]
    assert "\nVersion: 1.0+tiny.1\n" in metadata
    assert "\nLicense-File: Vendored/LICENSE\n" in metadata


def test_the_record_tells_what_each_lever_saved(wheel: Path) -> None:
    record = json.loads(wheel.with_name(wheel.name.replace(".whl", ".record.json")).read_text())
    saved = {row["name"]: row["saved"] for row in record["levers"]}
    assert set(saved) == {"tests", "test-modules", "typing", "headers", "docstrings", "symbols"}
    assert saved.pop("tests") < 0, "the stubs are larger than these two small files"
    assert all(value > 0 for value in saved.values()), saved
    assert record["wheel"]["sha256"] == file_sha256(wheel)


def test_the_compile_had_no_network(small: Small, wheel: Path) -> None:
    if small.engine != "docker":
        pytest.skip("the host engine does not cut the network")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("shaveling/networks.txt").decode().split() == ["lo"]


def test_a_second_build_comes_from_the_store(small: Small, first: Run) -> None:
    again = small.build()
    assert (first.built["cached"], again.built["cached"]) == (False, True)
    assert again.built["digest"] == first.built["digest"]
    assert "in the store, nothing to do" in again.stderr
    assert small.scratch == []


def test_built_anew_it_has_the_same_bytes(small: Small, wheel: Path) -> None:
    before = {path.name: file_sha256(path) for path in wheel.parent.iterdir()}
    assert len(before) == 3
    shutil.rmtree(wheel.parent)
    cleaned = small.start("clean", "--all").end()
    assert cleaned.code == 0, cleaned.stderr
    again = small.build()
    assert not again.built["cached"]
    assert {path.name: file_sha256(path) for path in wheel.parent.iterdir()} == before


def test_a_compile_takes_the_object_files_of_an_earlier_one(small: Small, wheel: Path) -> None:
    if small.engine != "docker":
        pytest.skip("the host engine keeps no object files")
    before = file_sha256(wheel)
    small.forget_builds()
    again = small.build()
    assert "compiling shaveling" in again.stderr
    assert file_sha256(wheel) == before
    assert small.object_hits() > 0


def test_a_corrupt_wheel_in_the_store_is_finished_anew(small: Small, wheel: Path) -> None:
    before = file_sha256(wheel)
    (stored,) = (small.cache / "entries" / "built").glob(f"*/{wheel.name}")
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.write_bytes(data)
    again = small.build()
    assert not again.built["cached"]
    assert "cannot be used" in again.stderr
    assert "compiling" not in again.stderr
    assert "finishing shaveling" in again.stderr
    assert file_sha256(wheel) == before


def test_a_budget_that_is_too_small_is_32(small: Small, first: Run) -> None:
    assert first.code == 0
    small.write(budget=100)
    try:
        failed = small.build()
    finally:
        small.write()
    assert failed.code == 32, failed.stderr
    assert "profile 'tiny' allows 100" in failed.stderr
    assert "in the store, nothing to do" in failed.stderr, "a budget changes no byte"


def test_a_compile_that_fails_is_30_with_log_and_last_lines(small: Small) -> None:
    small.write({"src/cold.c": "int cold_is_small(void) { return unknown_name; }\n"})
    try:
        failed = small.build()
    finally:
        small.write()
    assert failed.code == 30, failed.stderr
    assert failed.stdout == ""
    assert re.search(r"(?m)^  \| .*unknown_name", failed.stderr), failed.stderr
    found = re.search(r"(?m)^log: (.*)$", failed.stderr)
    assert found
    assert "unknown_name" in Path(found[1]).read_text()
    assert "next: " in failed.stderr
    assert not re.search(r"(?m)^Traceback", failed.stderr)
    assert small.scratch == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("*/src/cold.c", "*/src/clod.c", "build.levels: '*/src/clod.c' matches no compiled source"),
        (
            'shaveling/_test_helper.*.so"]\n',
            'shaveling/_test_helper.*.so"]\n\n[levers.headers]\nkeep = ["shaveling/ipa.h"]\n',
            "levers.headers.keep: 'shaveling/ipa.h' matches no file of the compiled wheel",
        ),
        (
            'level = "O2"\n',
            'level = "O2"\ngrafts = ["libnone.so*"]\n',
            "build.grafts: 'libnone.so*' matches no library that auditwheel copies",
        ),
    ],
)
def test_build_pattern_that_matches_nothing_is_3_with_its_place(
    small: Small, old: str, new: str, said: str
) -> None:
    recipe = small.folder / "recipes" / "shaveling" / "recipe.toml"
    text = recipe.read_text()
    assert old in text
    recipe.write_text(text.replace(old, new, 1))
    try:
        failed, again = small.build(), small.build()
    finally:
        small.write()
    assert failed.code == again.code == 3, failed.stderr + again.stderr
    assert f"{recipe}: {said}" in failed.stderr
    assert "next: " in failed.stderr
