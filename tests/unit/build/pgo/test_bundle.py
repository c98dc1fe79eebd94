"""Bundles: the same contents, the same bytes; and what is not one is told."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import pytest

from countersample import IDLE, MANIFEST, WRITTEN
from spokeshave.build.pgo.bundle import (
    REACHED,
    counted_in,
    ended,
    names_in_bundle,
    reached,
    read_manifest,
    sum_up,
    unpack_bundle,
    useful,
    write_bundle,
)
from spokeshave.build.pgo.counters import CounterFile, read_counters
from spokeshave.errors import RecipeError, TrainError
from spokeshave.inside.model import file_sha256


def test_a_bundle_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "training" / "lean.tar.xz"
    sha256 = write_bundle(path, MANIFEST, {"#b.gcda": WRITTEN, "#a.gcda": WRITTEN})
    assert read_manifest(path, sha256) == MANIFEST
    assert sorted(names_in_bundle(path, sha256)) == ["#a.gcda", "#b.gcda"]
    unpack_bundle(path, sha256, tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == {
        "#a.gcda": WRITTEN,
        "#b.gcda": WRITTEN,
    }


def test_the_same_contents_make_the_same_bytes(tmp_path: Path) -> None:
    one = write_bundle(tmp_path / "one.tar.xz", MANIFEST, {"#b.gcda": WRITTEN, "#a.gcda": IDLE})
    assert write_bundle(tmp_path / "two.tar.xz", MANIFEST, {"#a.gcda": IDLE, "#b.gcda": WRITTEN}) == one


def test_files_of_which_nothing_ran_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "tmp" / "spokeshave-counters"
    folder.mkdir(parents=True)
    (folder / "#ran.gcda").write_bytes(WRITTEN)
    (folder / "#idle.gcda").write_bytes(IDLE)
    found = useful(counted_in(tmp_path))
    assert list(found) == ["#ran.gcda"]
    assert sum_up(found) == {"compiler": "B22*", "files": 1, "functions": 3, "ran": 2}


def test_counters_that_were_cut_short_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "#cut.gcda").write_bytes(WRITTEN[: len(WRITTEN) // 2 + 1])
    with pytest.raises(TrainError, match=r"#cut\.gcda are cut short"):
        counted_in(tmp_path)


def test_counters_without_a_summary_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "#odd.gcda").write_bytes(WRITTEN[:16] + WRITTEN[32:])
    for read in (counted_in, ended):
        with pytest.raises(TrainError, match=r"#odd\.gcda are cut short: no summary"):
            read(tmp_path)


def counters(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def read(files: dict[str, bytes]) -> dict[str, CounterFile]:
    return {name: read_counters(data) for name, data in files.items()}


def counts(files: dict[str, bytes]) -> dict[str, tuple[int, int]]:
    """How many functions each file tells of, and how many of them ran."""
    return {name: (len(file.functions), len(file.ran)) for name, file in read(files).items()}


def test_what_tests_alone_ran_has_no_counters() -> None:
    """And what nothing ran has those that say so."""
    whole = read_counters(WRITTEN)
    part = whole.as_one_run(without={min(whole.ran)})
    found, alone = reached(
        read({"#both.gcda": WRITTEN, "#idle.gcda": IDLE, "#ours.gcda": WRITTEN}),
        read({"#both.gcda": part, "#idle.gcda": IDLE, "#tests.gcda": WRITTEN}),
    )
    assert counts(found) == {"#both.gcda": (3, 2), "#ours.gcda": (3, 2), "#tests.gcda": (1, 0)}
    assert alone == 2, "those of the file that the tests alone ran"


def test_copies_that_another_object_ran_have_no_counters() -> None:
    """The linker keeps one copy of an inline function, in which object ever; the others never run."""
    (some, other) = sorted(read_counters(WRITTEN).ran)
    at = WRITTEN.index(some) + len(some) + 4
    idle = WRITTEN[:at] + struct.pack("<i", -8) + WRITTEN[at + 12 :]
    assert read_counters(idle).ran == {other}
    found, alone = reached(read({"#a.gcda": WRITTEN, "#b.gcda": idle}), {})
    assert counts(found) == {"#a.gcda": (3, 2), "#b.gcda": (2, 1)}
    assert alone == 0


def test_a_bundle_has_what_tests_reached_apart(tmp_path: Path) -> None:
    path = tmp_path / "lean.tar.xz"
    sha256 = write_bundle(path, MANIFEST, {"#a.gcda": WRITTEN, f"{REACHED}/#b.gcda": IDLE})
    assert names_in_bundle(path, sha256) == ("#a.gcda",)
    unpack_bundle(path, sha256, tmp_path / "out")
    assert (tmp_path / "out" / "#a.gcda").read_bytes() == WRITTEN
    assert (tmp_path / "out" / REACHED / "#b.gcda").read_bytes() == IDLE


@pytest.mark.parametrize("name", ["../#a.gcda", f"{REACHED}/../#a.gcda", f"{REACHED}/x/#a.gcda", "/#a.gcda"])
def test_a_bundle_with_other_folders_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "lean.tar.xz"
    sha256 = write_bundle(path, MANIFEST, {name: WRITTEN})
    with pytest.raises(RecipeError, match="cannot be used"):
        unpack_bundle(path, sha256, tmp_path / "out")


def test_processes_that_wrote_counters_are_counted(tmp_path: Path) -> None:
    assert ended(tmp_path / "none") == 0
    many = WRITTEN[:24] + struct.pack("<I", 5) + WRITTEN[28:]
    assert ended(counters(tmp_path / "some", {"#a.gcda": WRITTEN, "#b.gcda": many})) == 5
    with pytest.raises(TrainError, match=r"#c\.gcda are cut short"):
        ended(counters(tmp_path / "cut", {"#c.gcda": b""}))


def test_a_bundle_other_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    write_bundle(tmp_path / "lean.tar.xz", MANIFEST, {})
    with pytest.raises(RecipeError, match="not the pinned one"):
        read_manifest(tmp_path / "lean.tar.xz", "0" * 64)
    with pytest.raises(RecipeError, match="not the pinned one"):
        names_in_bundle(tmp_path / "lean.tar.xz", "0" * 64)
    with pytest.raises(RecipeError, match="cannot be used"):
        read_manifest(tmp_path / "other.tar.xz", "0" * 64)


@pytest.mark.parametrize("manifest", [None, b"", b"{}", b"[1"])
def test_a_bundle_without_a_sound_manifest_is_refused(tmp_path: Path, manifest: bytes | None) -> None:
    path = tmp_path / "lean.tar.xz"
    with tarfile.open(path, "w:xz") as archive:
        for name, data in {"#a.gcda": WRITTEN, "manifest.json": manifest}.items():
            if data is not None:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    with pytest.raises(RecipeError, match="missing or unsound"):
        read_manifest(path, file_sha256(path))
