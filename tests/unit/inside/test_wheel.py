"""Wheels: every fault of RECORD is found, nothing is unpacked outside, writing is deterministic."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

from spokeshave.inside import wheel
from spokeshave.inside.wheel import MalformedWheel, WheelName, pack, parse_name, unpack
from support import demo_files, record_row, write_wheel

NAME = "demo-1.0-py3-none-any.whl"
FILES = demo_files()


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    return write_wheel(tmp_path / NAME, FILES)


def faults_of(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return wheel.record_faults(archive)


def headers(dist_info: Path) -> list[tuple[str, str]]:
    with (dist_info / "METADATA").open("rb") as stream:
        return list(BytesParser().parse(stream).items())


def test_a_wheel_comes_out_as_it_went_in(demo: Path, tmp_path: Path) -> None:
    folder = unpack(demo, tmp_path / "tree")
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found.pop("demo-1.0.dist-info/RECORD")
    assert found == FILES


def test_packing_twice_gives_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    first = pack(unpack(demo, tmp_path / "one"), tmp_path / "a", parse_name(NAME))
    again = unpack(first, tmp_path / "two")
    for path in sorted(again.rglob("*"), reverse=True):
        os.utime(path, (0, 0))
    (again / "demo" / "__init__.py").chmod(0o600)
    second = pack(again, tmp_path / "b", parse_name(NAME))
    assert second.read_bytes() == first.read_bytes()
    assert faults_of(second) == []


def test_record_is_last_and_the_dist_info_behind_the_rest(demo: Path, tmp_path: Path) -> None:
    (folder := unpack(demo, tmp_path / "tree")).joinpath("zzz.py").write_text("")
    packed = pack(folder, tmp_path / "out", parse_name(NAME))
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    assert names[-1] == "demo-1.0.dist-info/RECORD"
    assert names[:2] == ["demo/__init__.py", "zzz.py"]


def test_an_executable_stays_one(demo: Path, tmp_path: Path) -> None:
    folder = unpack(demo, tmp_path / "tree")
    (folder / "demo" / "tool").write_text("#!/bin/sh\n")
    (folder / "demo" / "tool").chmod(0o711)
    again = unpack(pack(folder, tmp_path / "out", parse_name(NAME)), tmp_path / "again")
    assert (again / "demo" / "tool").stat().st_mode & 0o777 == 0o755
    assert (again / "demo" / "__init__.py").stat().st_mode & 0o777 == 0o644


def test_pip_installs_what_pack_wrote(demo: Path, tmp_path: Path) -> None:
    folder = unpack(demo, tmp_path / "tree")
    (folder / "demo" / "more,with comma.txt").write_text("a row that csv must quote")
    packed = pack(folder, tmp_path / "out", parse_name(NAME))
    argv = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(tmp_path / "site")]
    subprocess.run([sys.executable, *argv, str(packed)], check=True)
    assert (tmp_path / "site" / "demo" / "more,with comma.txt").is_file()


def test_a_hash_that_lies_is_found(tmp_path: Path) -> None:
    record = "".join(record_row(name, data + b"!") for name, data in FILES.items())
    bad = write_wheel(tmp_path / NAME, FILES, record + "demo-1.0.dist-info/RECORD,,\n")
    assert faults_of(bad) == [f"{name} does not match its RECORD hash" for name in FILES]
    with pytest.raises(MalformedWheel, match="does not match its RECORD hash"):
        unpack(bad, tmp_path / "tree")


def test_a_missing_row_is_found(tmp_path: Path) -> None:
    rows = [record_row(*item) for item in list(FILES.items())[1:]]
    bad = write_wheel(tmp_path / NAME, FILES, "".join(rows))
    assert faults_of(bad) == ["demo/__init__.py is not in RECORD"]


def test_a_row_too_many_is_found(tmp_path: Path) -> None:
    rows = [record_row(*item) for item in FILES.items()] + [record_row("demo/gone.py", b"")]
    bad = write_wheel(tmp_path / NAME, FILES, "".join(rows))
    assert faults_of(bad) == ["demo/gone.py is in RECORD but not in the wheel"]


def test_all_faults_are_told(tmp_path: Path) -> None:
    rows = [record_row("demo/__init__.py", b"other"), record_row("demo/gone.py", b"")]
    bad = write_wheel(tmp_path / NAME, FILES, "".join(rows))
    assert len(faults_of(bad)) == 4


@pytest.mark.parametrize("record", ["demo/__init__.py\n", "\xff\xfe", '"never closed'])
def test_a_record_that_is_none_is_found(tmp_path: Path, record: str) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
        archive.writestr("demo-1.0.dist-info/RECORD", record.encode("latin-1"))
    assert faults_of(path)
    with pytest.raises(MalformedWheel):
        unpack(path, tmp_path / "tree")


def test_no_record_and_two_records_are_faults(tmp_path: Path) -> None:
    for number, records in enumerate(([], ["a.dist-info/RECORD", "b.dist-info/RECORD"])):
        path = tmp_path / f"demo{number}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("demo/__init__.py", "")
            for name in records:
                archive.writestr(name, "")
        assert faults_of(path) == [f"has {len(records)} RECORD files instead of one"]


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "demo/../../evil.py", "demo\\..\\evil.py"])
def test_a_member_that_would_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    bad = write_wheel(tmp_path / "in" / NAME, {**FILES, name: b"evil"})
    with pytest.raises(MalformedWheel, match="outside the wheel's folder"):
        unpack(bad, tmp_path / "out" / "tree")
    assert not list(tmp_path.rglob("*evil*"))
    assert not list((tmp_path / "out" / "tree").rglob("*"))


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"PK not really")
    with pytest.raises(MalformedWheel, match="not a readable zip archive"):
        unpack(tmp_path / NAME, tmp_path / "tree")


def test_a_damaged_stream_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, {**FILES, "demo/big.txt": bytes(range(256)) * 400})
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("demo/big.txt")
    data = bytearray(path.read_bytes())
    name_length, extra_length = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + name_length + extra_length
    data[start] = 0xFF  # a block type that deflate does not have
    path.write_bytes(data)
    with pytest.raises(MalformedWheel, match=NAME):
        unpack(path, tmp_path / "tree")


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        (
            "numpy-2.4.6+lean.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            ("numpy", "2.4.6+lean.1", "cp311", "cp311", "manylinux_2_27_x86_64.manylinux_2_28_x86_64"),
        ),
        (
            "slim_openblas-0.3-py3-none-linux_x86_64.whl",
            ("slim_openblas", "0.3", "py3", "none", "linux_x86_64"),
        ),
        ("a-1-2-py2.py3-none-any.whl", ("a", "1", "py2.py3", "none", "any")),
    ],
)
def test_names_are_split(filename: str, expected: tuple[str, ...]) -> None:
    name = parse_name(filename)
    assert (name.distribution, name.version, name.python, name.abi, name.platform) == expected
    assert name.dist_info == f"{expected[0]}-{expected[1]}.dist-info"
    if filename.count("-") == 4:
        assert str(name) == filename


@pytest.mark.parametrize(
    "filename", ["numpy.whl", "numpy-1.0.tar.gz", "a-1-py3-none.whl", "a-1-x-py3-none-any.whl"]
)
def test_what_is_no_wheels_name_is_refused(filename: str) -> None:
    with pytest.raises(MalformedWheel, match="is not a wheel's file name"):
        parse_name(filename)


def test_relabelling_changes_version_and_platform_alone() -> None:
    name = wheel.relabel(parse_name(NAME), version="1.0+lean.1", platform="linux_x86_64")
    assert name == WheelName(
        distribution="demo", version="1.0+lean.1", python="py3", abi="none", platform="linux_x86_64"
    )


def test_a_relabelled_wheel_has_one_dist_info_of_its_own(demo: Path, tmp_path: Path) -> None:
    folder = unpack(demo, tmp_path / "tree")
    name = wheel.relabel(parse_name(NAME), version="1.0+lean.1")
    wheel.set_metadata(wheel.dist_info_of(folder), version="1.0+lean.1", requires=())
    packed = pack(folder, tmp_path / "out", name)
    assert packed.name == "demo-1.0+lean.1-py3-none-any.whl"
    assert faults_of(packed) == []
    again = unpack(packed, tmp_path / "again")
    assert wheel.dist_info_of(again).name == "demo-1.0+lean.1.dist-info"


def test_metadata_gets_a_version_and_requirements(demo: Path, tmp_path: Path) -> None:
    info = wheel.dist_info_of(unpack(demo, tmp_path / "tree"))
    text = (info / "METADATA").read_text().replace("Text.", "Text.\n\nVersion: not this one\n")
    (info / "METADATA").write_text(text)
    wheel.set_metadata(info, version="1.0+lean.1", requires=("slim-openblas==0.3+lean.1",))
    assert headers(info) == [
        ("Metadata-Version", "2.4"),
        ("Name", "demo"),
        ("Version", "1.0+lean.1"),
        ("Requires-Dist", "slim-openblas==0.3+lean.1"),
    ]
    assert (info / "METADATA").read_text().endswith("\n\nText.\n\nVersion: not this one\n\n")


def test_licence_files_are_named_once(demo: Path, tmp_path: Path) -> None:
    info = wheel.dist_info_of(unpack(demo, tmp_path / "tree"))
    wheel.set_licenses(info, ("OpenBLAS/LICENSE",))
    wheel.set_licenses(info, ("OpenBLAS/LICENSE", "LAPACK/LICENSE"))
    named = [value for key, value in headers(info) if key == "License-File"]
    assert named == ["OpenBLAS/LICENSE", "LAPACK/LICENSE"]


def test_tags_follow_the_file_name(demo: Path, tmp_path: Path) -> None:
    info = wheel.dist_info_of(unpack(demo, tmp_path / "tree"))
    wheel.set_tags(info, parse_name("demo-1.0-cp311-abi3.cp311-a_x86_64.b_x86_64.whl"))
    lines = (info / "WHEEL").read_text().splitlines()
    assert lines[:2] == ["Wheel-Version: 1.0", "Root-Is-Purelib: true"]
    assert sorted(lines[2:]) == [
        *("Tag: cp311-abi3-a_x86_64", "Tag: cp311-abi3-b_x86_64"),
        *("Tag: cp311-cp311-a_x86_64", "Tag: cp311-cp311-b_x86_64"),
    ]


def test_a_folder_without_one_dist_info_is_no_wheel(tmp_path: Path) -> None:
    with pytest.raises(MalformedWheel, match="has 0 dist-info folders"):
        wheel.dist_info_of(tmp_path)


def test_archives_of_tests_old_name_is_read_after_todays(demo: Path) -> None:
    assert wheel.archives_of_tests(demo) == []
    old = wheel.beside(demo, ".tests.zip")
    old.touch()
    assert wheel.archives_of_tests(demo) == [old]
    new = wheel.beside(demo, wheel.TESTS_ARCHIVE)
    new.touch()
    assert wheel.archives_of_tests(demo) == [new, old]
