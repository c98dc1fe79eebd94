"""Which package a file belongs to, in folders, layers and images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from imagetars import distribution, docker_archive, tar_bytes, write_files
from spokeshave.report.survey.installed import read_packages
from spokeshave.report.survey.model import Package, Subject
from spokeshave.report.survey.sites import find_sites, python_of
from spokeshave.report.survey.subjects import read_subject

DEMO = {"demo/__init__.py": b"x = 1\n", "demo/data.bin": b"123"}


def packages(root: Path, files: Mapping[str, bytes]) -> dict[str, Package]:
    (subject,) = read_subject(write_files(root, files), root)
    return {package.name: package for package in read_packages(subject)}


def names(package: Package) -> set[str]:
    return {file.name for file in package.files}


def test_record_gives_a_package_its_files_and_scripts_outside(tmp_path: Path) -> None:
    files = distribution("Demo-Thing", {**DEMO, "../bin/demo": b"#!", "../../../etc/passwd": b""})
    inside = {f"lib/{name}": content for name, content in files.items() if not name.startswith("..")}
    found = packages(tmp_path / "root", {**inside, "bin/demo": b"#!", "bin/other": b"#!"})
    assert set(found) == {"Demo-Thing"}
    assert {"bin/demo", "lib/demo/data.bin"} < names(found["Demo-Thing"])
    assert "bin/other" not in names(found["Demo-Thing"])
    assert found["Demo-Thing"].version == "1.0"


def test_bytecode_belongs_to_the_package_of_its_source(tmp_path: Path) -> None:
    pyc = "demo/__pycache__/__init__.cpython-311.pyc"
    found = packages(tmp_path, {**distribution("other-name", DEMO), pyc: b"pyc"})
    assert pyc in names(found["other-name"])
    assert found["other-name"].kinds()["bytecode"] == (1, 3)


def test_without_record_the_name_of_the_folder_decides(tmp_path: Path) -> None:
    """As in Debian's dist-packages; what no name fits is a package without a version."""
    files = distribution("De.mo", {"de_mo/__init__.py": b"", "de_mo.libs/x.so": b"1"}, record=False)
    found = packages(tmp_path, {**files, "stray/__init__.py": b"", "single.py": b"", "_c.abi3.so": b""})
    assert set(found) == {"De.mo", "stray", "single", "_c"}
    assert {"de_mo/__init__.py", "de_mo.libs/x.so"} < names(found["De.mo"])
    assert found["stray"].version == ""


def test_layer_without_metadata_has_its_folders_as_packages(tmp_path: Path) -> None:
    found = packages(tmp_path, {"python/demo/__init__.py": b"1", "python/more.py": b"22"})
    assert {name: one.size for name, one in found.items()} == {"more": 2, "demo": 1}
    assert found["demo"].site == "python"


def test_find_sites_ignores_vendored_metadata() -> None:
    site = "usr/lib/python3.11/site-packages"
    vendored = f"{site}/setuptools/_vendor/x-1.dist-info/METADATA"
    nested = f"app/{site}/y-1.dist-info/METADATA"
    assert find_sites(
        [vendored, nested, "var/task/z-1.dist-info/METADATA", "var/task/z/w.dist-info/METADATA"]
    ) == (
        f"app/{site}",
        site,
        "var/task",
    )
    assert find_sites(["a-1.dist-info/METADATA"]) == ("",)
    assert find_sites(["etc/passwd"]) == ()


def test_several_pythons_in_one_subject_are_told_apart(tmp_path: Path) -> None:
    files = {
        f"{folder}/{name}": content
        for folder in ("usr/lib/python3.11/site-packages", "opt/lib/python3.12/site-packages")
        for name, content in distribution("demo", DEMO).items()
    }
    (subject,) = read_subject(write_files(tmp_path, files), tmp_path)
    found = read_packages(subject)
    assert [package.name for package in found] == ["demo", "demo"]
    assert {python_of(package.site, names(package)) for package in found} == {"3.11", "3.12"}


@pytest.mark.parametrize(
    ("name", "python"),
    [("d/x.cpython-313-x86_64-linux-gnu.so", "3.13"), ("d/x.py", ""), ("d/x.cpython-39.pyc", "3.9")],
)
def test_python_of_a_bare_folder_is_that_of_its_modules(name: str, python: str) -> None:
    assert python_of("layer", [name]) == python


def test_record_that_is_no_csv_and_metadata_that_is_binary_do_no_harm(tmp_path: Path) -> None:
    files = distribution("demo", DEMO)
    files["demo-1.0.dist-info/RECORD"] = b'\xff\x00"unclosed,\n,,,\n'
    files["demo-1.0.dist-info/METADATA"] = b"\xff\xfe\x00Name"
    found = packages(tmp_path, files)
    assert found["demo"].version == "1.0"
    assert "demo/data.bin" in names(found["demo"])


def test_names_with_control_characters_are_shown_without_them(tmp_path: Path) -> None:
    files = distribution("demo", DEMO)
    files["demo-1.0.dist-info/METADATA"] = b"Name: de\x1b[31mmo\nVersion: 1.0\n"
    assert set(packages(tmp_path, files)) == {"de\N{REPLACEMENT CHARACTER}[31mmo"}


def test_image_without_python_has_no_packages(tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [tar_bytes({"etc/conf": b"1", "usr/bin/x": b"2"})])
    (subject,) = read_subject(image, tmp_path)
    assert read_packages(subject) == ()
    assert [file.path for file in subject.files] == [None, None]


def test_hard_linked_files_of_a_folder_count_once(tmp_path: Path) -> None:
    root = write_files(tmp_path / "root", distribution("demo", DEMO))
    (root / "demo" / "again.bin").hardlink_to(root / "demo" / "data.bin")
    (root / "link").symlink_to(root / "demo")
    subject: Subject = read_subject(root, tmp_path)[0]
    assert sum(file.name in ("demo/again.bin", "demo/data.bin") for file in subject.files) == 1
    assert not any(file.name.startswith("link") for file in subject.files)
