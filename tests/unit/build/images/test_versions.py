"""The exact versions of an image's toolchain, from what apt and mmdebstrap deliver."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from spokeshave.build.images import versions
from spokeshave.build.images.local import local_image, with_toolchain
from spokeshave.inside.model import Environment, Target

STATUS = """\
Package: gcc-14
Status: install ok installed
Source: gcc-14
Version: 14.2.0-19
Description: GNU C compiler
 This is the GNU C compiler.

Package: gcc
Version: 4:14.2.0-1

Package: binutils
Version: 2.44-3

Package: libc6
Version: 2.41-12

Package: ca-certificates
Version: 20250419
"""
LISTING = """\
libc6-dev_2.31-13+deb11u14_amd64.deb
libcrypt1_1%3a4.4.18-4_amd64.deb
libgcc-s1_1%3a10.2.1-6_amd64.deb
libstdc++-10-dev_10.2.1-6_amd64.deb
linux-libc-dev_5.10.262-1_amd64.deb
lock
partial
"""


def tar_of(path: Path, member: str, text: str = "") -> Path:
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo(member)
        info.size = len(text.encode())
        tar.addfile(info, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize("start", ["./", ""])
def test_installed_compilers_and_linker_have_their_exact_versions(tmp_path: Path, start: str) -> None:
    root = tar_of(tmp_path / "root.tar", f"{start}var/lib/dpkg/status", STATUS)
    compilers = {"gcc-14": "14.2.0-19", "binutils": "2.44-3"}
    assert versions.installed("build", root) == compilers
    assert versions.installed("run", root) == {"libc6": "2.41-12"}
    assert versions.installed("run-compiler", root) == {**compilers, "libc6": "2.41-12"}


def test_installed_root_without_package_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match=r"root\.tar"):
        versions.installed("run", tar_of(tmp_path / "root.tar", "etc/passwd"))


def test_extracted_libc_and_run_times_have_their_exact_versions() -> None:
    assert versions.extracted(LISTING) == {
        "libc6-dev": "2.31-13+deb11u14",
        "libgcc-s1": "1:10.2.1-6",
        "libstdc++-10-dev": "10.2.1-6",
    }


def test_cpython_version_is_that_of_the_folder_in_the_archive(tmp_path: Path) -> None:
    source = tar_of(tmp_path / "cpython.tar", "Python-3.11.2/README.rst")
    assert versions.cpython(source) == {"cpython": "3.11.2"}


def test_cpython_other_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"other\.tar"):
        versions.cpython(tar_of(tmp_path / "other.tar", "numpy-2.4.6/README.rst"))


def test_with_toolchain_digest_changes_with_each_version_and_nothing_else() -> None:
    plain = local_image("build", Target())
    found = {"gcc-14": "14.2.0-19", "binutils": "2.44-3"}
    one = with_toolchain(plain, found)
    assert one == with_toolchain(plain, dict(reversed(found.items())))
    assert one.reference == plain.reference
    others = [with_toolchain(plain, {**found, name: "9"}).digest for name in found]
    assert len({plain.digest, one.digest, *others}) == 4


def test_environment_is_known_once_a_local_image_has_versions() -> None:
    image = local_image("build", Target())
    where = Environment(engine="docker", image=image.reference, image_digest=image.digest)
    assert not where.is_known
    assert Environment(engine="docker", image="manylinux@sha256:1", image_digest="sha256:1").is_known
    assert Environment(engine="host", image="", image_digest="1").is_known
    made = with_toolchain(image, {"gcc-14": "14.2.0-19"})
    known = Environment(
        engine="docker", image=made.reference, image_digest=made.digest, toolchain=made.toolchain
    )
    assert known.is_known


def test_with_toolchain_twice_is_an_error() -> None:
    """The second digest would be another one, and no build would find the first."""
    made = with_toolchain(local_image("build", Target()), {"gcc-14": "14.2.0-19"})
    with pytest.raises(ValueError, match="already"):
        with_toolchain(made, {"gcc-14": "14.2.0-19"})
