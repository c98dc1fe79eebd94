"""A library that upstream has built, through fetching and the ordinary finish of both engines."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from smallproject import ENGINES, Small, engine_fault
from spokeshave.build.elf import elf_files
from spokeshave.inside.model import Target, file_sha256
from spokeshave.machine.toolchain import find_python
from support import needs_compiler, write_wheel

pytestmark = needs_compiler
SOURCE = "static int hidden(void) { return 7; }\nint tiny_answer(void) { return hidden(); }\n"
INFO = "tinylib32-2.0.dist-info"
RECIPE = f"""
schema = 1
name = "tiny"
kind = "library"
distribution = "slim-tiny"
import-name = "slim_tiny"
summary = "A library for tests"
license = "MIT"

[[versions]]
version = "2.0"
source = {{ pypi = "tinylib32", wheels = {{ PLATFORM = "SHA256" }} }}

[build]
backend = "prebuilt"

[build.prebuilt]
folder = "tinylib32/lib"
soname = "libtiny.so"
pkg-config = "tiny"

[[bundled]]
name = "Tiny"
version = "2.0"
license = "MIT"
license-file = "{INFO}/LICENSE"
source = "wheel tinylib32 2.0"

[verify]
requires = "test-requirements.txt"
present = ["slim_tiny/lib/libtiny.so"]
absent = ["*.h"]
"""
# Takes nothing out: a profile that does reads the whole stack's imports first.
PROFILE = """
schema = 1
name = "tiny"
summary = "for tests"

[levers]
symbols = true
"""


@pytest.fixture(params=ENGINES)
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Small:
    if fault := engine_fault(request.param):
        pytest.skip(fault)
    made = Small(folder=tmp_path, cache=tmp_path / "cache", engine=request.param)
    made.write()
    library = tmp_path / "libtiny.so"
    argv = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), "-Wl,-soname,libtiny.so"]
    subprocess.run(argv, input=SOURCE.encode(), check=True)
    files = {
        "tinylib32/lib/libtiny.so": library.read_bytes(),
        "tinylib32/lib/pkgconfig/tiny.pc": b"libdir=${pcfiledir}/../../lib\nName: tiny\nVersion: 2\n",
        "tinylib32/include/tiny.h": b"int tiny_answer(void);\n",
        f"{INFO}/LICENSE": b"Do what you like.\n",
        f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: tinylib32\nVersion: 2.0\n",
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-manylinux2014_x86_64\n",
    }
    wheel = write_wheel(tmp_path / "links" / "tinylib32-2.0-py3-none-manylinux2014_x86_64.whl", files)
    (tmp_path / "recipes" / "profiles" / "tiny.toml").write_text(PROFILE)
    recipe = tmp_path / "recipes" / "tiny"
    recipe.mkdir()
    text = RECIPE.replace("SHA256", file_sha256(wheel)).replace("PLATFORM", Target().platform)
    (recipe / "recipe.toml").write_text(text)
    lock = tmp_path / "recipes" / "shaveling" / "test-requirements.txt"
    (recipe / "test-requirements.txt").write_bytes(lock.read_bytes())
    return made


def build(small: Small) -> tuple[Path, bool]:
    """The built wheel, and whether it came from the store."""
    words = ("tiny", "--profile", "tiny", "--engine", small.engine, "--json")
    (row,) = json.loads(_ended(small, "build", *words, "--output", str(small.folder / "out")))
    return Path(row["wheel"]), row["cached"]


def _ended(small: Small, *words: str) -> str:
    run = small.start(*words).end()
    assert run.code == 0, run.stderr
    return run.stdout


def test_it_is_fetched_and_finished_like_any_other(small: Small) -> None:
    wheel, cached = build(small)
    assert not cached
    assert wheel.name.startswith("slim_tiny-2.0+tiny.1-py3-none-manylinux")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(small.folder / "site")
    assert f"slim_tiny-2.0+tiny.1.dist-info/licenses/{INFO}/LICENSE" in names
    assert "slim_tiny-2.0+tiny.1.dist-info/sboms/spokeshave.cdx.json" in names
    assert not any(name.endswith(".h") for name in names)
    (facts,) = elf_files(wheel)
    assert ".symtab" not in facts.sections, "the levers that act on the wheel do so here too"
    code = "import slim_tiny; print(slim_tiny.load().tiny_answer())"
    env = {"PYTHONPATH": str(small.folder / "site")}
    assert subprocess.check_output([find_python(Target()), "-c", code], env=env) == b"7\n"
    assert build(small) == (wheel, True)


def test_another_platform_than_the_pinned_is_refused(small: Small) -> None:
    recipe = small.folder / "recipes" / "tiny" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace(Target().platform, "manylinux_riscv64"))
    run = small.start("fetch", "tiny", "--profile", "tiny", "--engine", small.engine).end()
    assert run.code == 3, run.stderr
    assert f"pins no wheel for {Target().platform}" in run.stderr
