"""Stock wheels as they come: a sound one is read, and every kind of bad one has its own clear error."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from spokeshave.errors import SpokeshaveError, UnsafeArchive, WheelError
from spokeshave.slim.intake import read_stock
from support import demo_files, record_row, write_wheel

NAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"


def fault_of(path: Path, kind: type[SpokeshaveError] = WheelError) -> str:
    with pytest.raises(kind) as caught:
        read_stock(path)
    assert caught.value.next_step
    assert str(path) in caught.value.what
    return caught.value.what


def test_a_sound_wheel_is_read(tmp_path: Path) -> None:
    stock = read_stock(write_wheel(tmp_path / NAME, demo_files()))
    assert (stock.project, str(stock.version), stock.signatures) == ("demo", "1.0", ())
    assert stock.slim_version(1) == "1.0+slim.1"


def test_a_local_version_gets_a_longer_label(tmp_path: Path) -> None:
    files = demo_files(version="1.0+cpu")
    stock = read_stock(write_wheel(tmp_path / "demo-1.0+cpu-py3-none-any.whl", files))
    assert stock.slim_version(2) == "1.0+cpu.slim.2"


@pytest.mark.parametrize("version", ["1.0+slim.1", "1.0+cpu.slim.12"])
def test_a_slim_wheel_is_not_slimmed_again(tmp_path: Path, version: str) -> None:
    path = write_wheel(tmp_path / f"demo-{version}-py3-none-any.whl", demo_files(version=version))
    assert "is slim already" in fault_of(path)


def test_names_may_be_spelt_in_several_ways(tmp_path: Path) -> None:
    info = "demo_pkg-1.0.dist-info"
    files = {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: Demo.Pkg\nVersion: 1.0.0\n\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    record = "".join(record_row(*item) for item in files.items()) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path := tmp_path / "Demo_Pkg-1.0-py3-none-any.whl", "w") as archive:
        for name, data in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(name, data)
    assert read_stock(path).project == "Demo.Pkg"


def test_no_such_file(tmp_path: Path) -> None:
    assert "no such file" in fault_of(tmp_path / NAME)


def test_a_file_that_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"not a zip archive")
    assert "not a well-formed wheel" in fault_of(tmp_path / NAME)


def test_a_file_with_another_name(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, demo_files()).rename(tmp_path / "demo.zip")
    assert "not a wheel's file name" in fault_of(path)


def test_a_truncated_download(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, demo_files())
    path.write_bytes(path.read_bytes()[:-40])
    assert "not a well-formed wheel" in fault_of(path)


def test_a_zip_without_dist_info(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / NAME, "w") as archive:
        archive.writestr("demo/__init__.py", "")
    assert "has 0 RECORD files" in fault_of(tmp_path / NAME)


def test_a_second_dist_info(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, {**demo_files(), "other-1.0.dist-info/METADATA": b""})
    assert "2 dist-info folders" in fault_of(path)


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL"])
def test_a_dist_info_that_lacks_a_file(tmp_path: Path, missing: str) -> None:
    files = {name: data for name, data in demo_files().items() if not name.endswith(missing)}
    assert f"there is no {INFO}/{missing}" in fault_of(write_wheel(tmp_path / NAME, files))


def test_a_format_of_the_future(tmp_path: Path) -> None:
    files = {**demo_files(), f"{INFO}/WHEEL": b"Wheel-Version: 2.0\nTag: py3-none-any\n"}
    assert "format 2.0" in fault_of(write_wheel(tmp_path / NAME, files))


def test_metadata_of_another_project(tmp_path: Path) -> None:
    files = {**demo_files(), f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n\n"}
    assert "do not agree: demo 1.0, other 1.0" in fault_of(write_wheel(tmp_path / NAME, files))


def test_a_renamed_version(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, demo_files())
    shutil.move(path, renamed := tmp_path / "demo-2.0-py3-none-any.whl")
    assert "do not agree: demo 1.0, demo 2.0" in fault_of(renamed)


def rows(files: dict[str, bytes]) -> list[str]:
    return [record_row(*item) for item in files.items()]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("sha256=", "sha256=A", "does not match its RECORD hash"),
        (",10\n", ",11\n", "demo/__init__.py has 10 bytes, not 11"),
        (rows(demo_files())[0], "", "demo/__init__.py is not in RECORD"),
        (rows(demo_files())[0], rows(demo_files())[0] * 2, "is in RECORD more than once"),
        (f"{INFO}/RECORD,,\n", "gone.py,,\n", "gone.py is in RECORD but not in the wheel"),
    ],
)
def test_a_record_that_lies(tmp_path: Path, old: str, new: str, told: str) -> None:
    record = "".join(rows(demo_files())) + f"{INFO}/RECORD,,\n"
    assert old in record
    path = write_wheel(tmp_path / NAME, demo_files(), record.replace(old, new, 1))
    assert told in fault_of(path)


@pytest.mark.parametrize("member", ["../evil.py", "/etc/evil", "demo\\evil.py", "C:/evil.py"])
def test_a_member_outside_the_folder(tmp_path: Path, member: str) -> None:
    path = write_wheel(tmp_path / NAME, {**demo_files(), member: b""})
    assert "would be unpacked outside" in fault_of(path, UnsafeArchive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, demo_files())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("demo/__init__.py", "value = 2\n")
    assert "'demo/__init__.py' is there 2 times" in fault_of(path, UnsafeArchive)


def test_a_member_below_a_file(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, {**demo_files(), "demo/__init__.py/data.txt": b""})
    assert "is a file and a folder" in fault_of(path, UnsafeArchive)


def test_folders_among_the_members_are_no_fault(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, demo_files())
    with zipfile.ZipFile(path, "a") as archive:
        archive.mkdir("demo/empty")
    assert read_stock(path).project == "demo"


def test_a_signature_is_noticed(tmp_path: Path) -> None:
    path = write_wheel(tmp_path / NAME, demo_files())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{INFO}/RECORD.jws", "{}")
    assert read_stock(path).signatures == (f"{INFO}/RECORD.jws",)
