"""`spokeshave slim` on real stock wheels: what is taken, and that everything still imports beside stock."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

pytestmark = pytest.mark.network

# Why each is here, and the lever that must find something in it; a wheel without one gets no smaller.
WHEELS = {
    "lxml==6.1.3": "headers",  # the headers of libxml2, Cython sources
    "sqlalchemy==2.1.9": "symbols",  # ext modules with debug information
    "aiohttp==3.14.5": "symbols",
    "pydantic-core==2.50.5": "typing",  # a compiled module whose stubs fill a folder of its name
    "joblib==1.6.0": "tests",  # a folder `test` that no other module names
    "nltk==3.10.4": "",  # its folder `test` stays: examples in its docstrings import it
    "pygments==2.21.0": "",  # nothing but modules
    "pyphen==0.18.1": "",  # nothing but data
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The records of one run over all of them, by name; its check has passed."""
    folder = tmp_path_factory.mktemp("slim")
    argv = [sys.executable, "-m", "spokeshave", "slim", *WHEELS, "--output", str(folder), "--json"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    smaller = [name for name, lever in WHEELS.items() if lever]
    assert [name for name, row in zip(WHEELS, found, strict=True) if row["written"]] == smaller
    assert len(list(folder.glob("*.whl"))) == len(smaller)
    return dict(zip(WHEELS, found, strict=True))


@pytest.mark.parametrize(("requirement", "lever"), WHEELS.items())
def test_the_lever_finds_what_is_there_and_all_modules_import(
    records: dict[str, Any], requirement: str, lever: str
) -> None:
    record = records[requirement]
    saved = {row["name"]: row["saved"] for row in record["levers"]}
    assert not lever or saved[lever] > 0
    taken = record["stock"]["unpacked"] - record["wheel"]["unpacked"]
    assert abs(taken - sum(saved.values())) < 10_000, "beside the levers only the dist-info changes"
    if not lever:
        assert "would not be smaller" in record["check"]["skipped"]
        return
    imports = record["check"]["imports"]
    assert imports["faults"] == []
    assert imports["imported"]


def test_together_they_lose_a_quarter(records: dict[str, Any]) -> None:
    stock = sum(row["stock"]["unpacked"] for row in records.values())
    ours = sum(row["wheel"]["unpacked"] for row in records.values())
    assert ours <= 0.75 * stock, f"{ours:,} of {stock:,} bytes"


def test_no_ext_module_was_left_with_its_symbols(records: dict[str, Any]) -> None:
    """Notes of that lever name files that it had to leave; none of these wheels has one."""
    notes = [note for row in records.values() for lever in row["levers"] for note in lever["notes"]]
    assert [note for note in notes if "left as it is" in note] == []


def stock_wheel(folder: Path, platform: str) -> Path:
    """psutil's wheel for a platform: one file for every Python from 3.6 on, with debug information in it."""
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    argv += ["--python-version=3.11", f"--platform={platform}", f"--dest={folder}", "psutil==7.2.2"]
    subprocess.run(argv, check=True)
    (wheel,) = folder.glob("psutil-*.whl")
    return wheel


def elf_parts(wheel: Path) -> tuple[dict[str, bytes], set[str]]:
    """What the loader reads of the one ext module, by section, and the names of all its sections."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".abi3.so")]
        elf = ELFFile(io.BytesIO(archive.read(name)))
    sections = {section.name: section.data() for section in elf.iter_sections()}
    loaded = (".dynsym", ".dynstr", ".dynamic", ".text", ".rodata", ".rela.dyn", ".rela.plt", ".eh_frame")
    return {key: sections[key] for key in loaded}, set(sections)


@pytest.mark.parametrize("platform", ["manylinux_2_28_x86_64", "musllinux_1_2_x86_64"])
def test_an_ext_module_of_the_stable_abi_stays_whole_on_either_libc(tmp_path: Path, platform: str) -> None:
    stock = stock_wheel(tmp_path / "stock", platform)
    argv = [sys.executable, "-m", "spokeshave", "slim", str(stock), "--json", "--output", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == stock.name.replace("7.2.2-", "7.2.2+slim.1-"), "the tags are stock's"
    (before, with_symbols), (after, without) = elf_parts(stock), elf_parts(wheel)
    assert after == before
    assert {".symtab", ".debug_info"} <= with_symbols - without
    check = json.loads(done.stdout)[0]["check"]
    runs_here = "linux-musl" in sysconfig.get_config_var("EXT_SUFFIX") if "musl" in platform else True
    if runs_here:
        assert check["imports"]["faults"] == [] and "psutil._psutil_linux" in check["imports"]["imported"]
    else:
        assert check["imports"] is None and platform.partition("_")[0] in check["skipped"]


def test_upstreams_own_tests_come_out_of_the_sdist(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "spokeshave", "slim", "pyphen==0.18.1", "--tests", "--json"]
    argv += ["--docstrings", "--comments", "--indentation", "--output", str(tmp_path)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True)
    (record,) = json.loads(done.stdout)
    tests = record["check"]["tests"]
    assert tests["ours"]["passed"] == tests["stock"]["passed"] >= 10
    assert tests["losses"] == []
