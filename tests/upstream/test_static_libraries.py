"""numpy's static libraries are there where numpy.distutils finds them, and any compiler can link them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="numpy.distutils ends with Python 3.11"
)

ASK = """
import json, warnings
warnings.simplefilter("ignore")
from numpy.distutils.misc_util import get_info
print(json.dumps(get_info("npymath")))
"""
PROGRAM = """
#include <stdio.h>
extern float npy_half_to_float(unsigned short);
extern double npy_spacing(double);
int main(void) { printf("%g %d", npy_half_to_float(0x3c00), npy_spacing(1.0) > 0); return 0; }
"""


@pytest.fixture(scope="module")
def site(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site folder with numpy of one profile and its BLAS."""
    profile = sorted(path.name.split("+")[1].split(".")[0] for path in wheelhouse.glob("numpy-*.whl"))[0]
    wheels = [
        str(path)
        for name in ("numpy", "slim_openblas")
        for path in wheelhouse.glob(f"{name}-*+{profile}.*.whl")
    ]
    folder = tmp_path_factory.mktemp("site")
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*argv, *wheels], check=True)
    return folder


def test_get_info_npymath_names_a_library_that_links(site: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(site)}
    asked = subprocess.run(
        [sys.executable, "-c", ASK], env=env, stdout=subprocess.PIPE, text=True, check=True
    )
    info = json.loads(asked.stdout)
    assert "npymath" in info["libraries"]
    (tmp_path / "program.c").write_text(PROGRAM, "utf-8")
    flags = [f"-L{folder}" for folder in info["library_dirs"]] + [f"-l{name}" for name in info["libraries"]]
    argv = ["gcc", "program.c", "-o", "program", *flags]
    linked = subprocess.run(argv, cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False)
    assert linked.returncode == 0, linked.stderr
    ran = subprocess.run([tmp_path / "program"], stdout=subprocess.PIPE, text=True, check=True)
    assert ran.stdout == "1 1"


@pytest.mark.parametrize("library", ["numpy/_core/lib/libnpymath.a", "numpy/random/lib/libnpyrandom.a"])
def test_static_libraries_are_machine_code(site: Path, library: str) -> None:
    """Another compiler, or another version of gcc, refuses objects for link-time optimisation."""
    argv = ["readelf", "--sections", "--wide", str(site / library)]
    sections = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert ".text" in sections
    assert ".gnu.lto_" not in sections
