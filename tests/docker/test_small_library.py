"""A small make-built library as a wheel of its own, and an ext module that links it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from shaveling import CORE, INIT, MESON
from smallproject import ENGINES, Small, engine_fault
from spokeshave.build.elf import elf_files
from spokeshave.inside.model import Target
from spokeshave.machine.toolchain import find_python
from support import RECIPES

FILES = {
    "LICENSE": "Do what you like.\n",
    "Makefile": "libs:\n\t$(CC) $(OPT) -fPIC -c tiny.c\n\tar rcs libtiny.a tiny.o\n",
    "tiny.c": "int tiny_kernels(void) { return KERNELS; }\nint tiny_hidden(void) { return 1; }\n"
    "int tiny_again(void) { return tiny_kernels(); }\n",
}
RECIPE = """
schema = 1
name = "tiny"
kind = "library"
distribution = "slim-tiny"
import-name = "slim_tiny"
summary = "A library for tests"
license = "MIT"

[[versions]]
version = "2.0"
source = { pypi = "tinylib", sha256 = "SHA256", version = "2.0" }

[build]
backend = "make"
directory = "code"
requires = "build-requirements.txt"
targets = ["libs"]
flags-variable = "OPT"

[build.variables]
CC = "cc -DKERNELS=$(COUNT)"

[build.library]
archive = "libtiny*.a"
soname = "libtiny_slim.so.0"
exports = ["exports.txt"]
pkg-config = "tiny"
kernels-variable = "COUNT"

[verify]
requires = "build-requirements.txt"
"""
CONSUMER = {
    "meson.build": MESON.replace("dependencies: m,", "dependencies: [m, dependency('tiny')],"),
    "src/core.c": CORE.replace("extern int", "extern int tiny_kernels(void);\nextern int").replace(
        "PyModule_AddStringConstant", 'PyModule_AddIntConstant(made, "kernels", tiny_kernels());\n'
        "    PyModule_AddStringConstant"
    ),
    "shaveling/__init__.py": INIT.replace(
        "from shaveling._core", "import shaveling._distributor_init_local\nfrom shaveling._core"
    ),
}  # fmt: skip
QUESTION = "import shaveling._core as core; print(core.kernels)"


def write_library(small: Small) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, text in FILES.items():
            info = tarfile.TarInfo(f"tinylib-2.0/code/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    data = gzip.compress(raw.getvalue(), mtime=0)
    (small.folder / "links" / "tinylib-2.0.tar.gz").write_bytes(data)
    recipe = small.folder / "recipes" / "tiny"
    recipe.mkdir()
    (recipe / "recipe.toml").write_text(RECIPE.replace("SHA256", hashlib.sha256(data).hexdigest()))
    (recipe / "exports.txt").write_text("# what the ext modules call\ntiny_kernels\ntiny_again\n")
    (recipe / "build-requirements.txt").write_bytes(
        (RECIPES / "openblas" / "build-requirements.txt").read_bytes()
    )


@pytest.fixture(scope="module", params=ENGINES)
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small project, changed to link the library."""
    if fault := engine_fault(request.param):
        pytest.skip(fault)
    folder = tmp_path_factory.mktemp(f"library-{request.param}")
    made = Small(folder=folder, cache=folder / "cache", engine=request.param)
    made.write(CONSUMER)
    write_library(made)
    recipe = folder / "recipes" / "shaveling" / "recipe.toml"
    linked = recipe.read_text().replace(
        'upstream-level = "O3"', 'libraries = ["tiny"]\nupstream-level = "O3"'
    )
    recipe.write_text(linked.replace('patches = ["0001-answer.patch"]', ""))
    profile = folder / "recipes" / "profiles" / "tiny.toml"
    profile.write_text(profile.read_text().replace("[levers]", '[blas]\nkernels = ["7"]\n[levers]'))
    return made


@pytest.fixture(scope="module")
def wheels(small: Small) -> dict[str, Path]:
    run = small.start_build().end()
    assert run.code == 0, run.stderr
    rows: list[dict[str, Any]] = json.loads(run.stdout)
    return {Path(row["wheel"]).name.split("-")[0]: Path(row["wheel"]) for row in rows}


def install(folder: Path, *wheels: Path) -> Path:
    pip = [find_python(Target()), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", str(folder), *map(str, wheels)], check=True)
    return folder


def ask(*folders: Path) -> str:
    env = {"PYTHONPATH": ":".join(map(str, folders))}
    return subprocess.check_output([find_python(Target()), "-c", QUESTION], env=env, text=True).strip()


def test_the_library_is_a_wheel_of_its_own(wheels: dict[str, Path]) -> None:
    assert set(wheels) == {"slim_tiny", "shaveling"}
    assert wheels["slim_tiny"].name.startswith("slim_tiny-2.0+tiny.1-py3-none-manylinux")
    with zipfile.ZipFile(wheels["slim_tiny"]) as archive:
        names = archive.namelist()
    assert "slim_tiny/lib/libtiny_slim.so.0" in names
    assert "slim_tiny/lib/pkgconfig/tiny.pc" in names
    assert not any(name.endswith((".a", ".map", ".c")) for name in names)


def test_it_exports_what_the_recipe_lists_alone(wheels: dict[str, Path]) -> None:
    (facts,) = elf_files(wheels["slim_tiny"])
    assert facts.exports == {"tiny_again", "tiny_kernels"}
    assert ".symtab" not in facts.sections


def test_its_own_calls_stay_in_it(wheels: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "other.c").write_text("int tiny_kernels(void) { return 99; }\n")
    other = tmp_path / "libother.so"
    subprocess.run(["cc", "-shared", "-fPIC", "other.c", "-o", str(other)], cwd=tmp_path, check=True)
    library = install(tmp_path / "one", wheels["slim_tiny"]) / "slim_tiny/lib/libtiny_slim.so.0"
    question = f"import ctypes; print(ctypes.CDLL({str(library)!r}).tiny_again())"
    told = subprocess.check_output(
        [find_python(Target()), "-c", question], env={"LD_PRELOAD": str(other)}, text=True
    )
    assert told.strip() == "7"


def test_the_linking_wheel_pins_it_exactly(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["shaveling"]) as archive:
        metadata = archive.read("shaveling-1.0+tiny.1.dist-info/METADATA").decode()
    assert "\nRequires-Dist: slim-tiny==2.0+tiny.1\n" in metadata
    facts = next(facts for facts in elf_files(wheels["shaveling"]) if "_core" in facts.name)
    assert "libtiny_slim.so.0" in facts.needed
    assert all(part.startswith("$ORIGIN/") for part in facts.runpath.split(":")), facts.runpath
    assert "tiny_kernels" in facts.imports


def test_both_work_in_one_folder_and_in_two(wheels: dict[str, Path], tmp_path: Path) -> None:
    assert ask(install(tmp_path / "both", *wheels.values())) == "7"
    apart = [install(tmp_path / name, path) for name, path in wheels.items()]
    assert ask(*apart) == "7", "found by the preload, not by the run path"


def test_a_symbol_that_is_not_there_is_told(small: Small, wheels: dict[str, Path]) -> None:
    assert wheels
    exports = small.folder / "recipes" / "tiny" / "exports.txt"
    exports.write_text("tiny_kernels\ntiny_gone\n")
    run = small.start("build", "tiny", "--profile", "tiny", "--engine", small.engine).end()
    assert run.code == 30, run.stderr
    assert "lacks 1 listed symbols: tiny_gone" in run.stderr
