"""Cython code that compiles against PyPI's wheels compiles against ours: each declaration is cimported."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the wheels are for CPython 3.11")

# Writes which modules cannot be cimported, and why: all at once, and one by one where that fails.
# C++, since some declarations need it. Cython trips over one of numpy's, with an AssertionError.
CIMPORT = """
import io, json, sys
from contextlib import redirect_stderr
from pathlib import Path
from Cython.Compiler.Main import CompilationOptions, compile_single
site, work, *modules = sys.argv[1:]

def fault(name, modules):
    source = Path(work, f"{name}.pyx")
    source.write_text("".join(f"cimport {module}\\n" for module in modules))
    options = CompilationOptions(language_level=3, cplus=True, include_path=[site])
    with redirect_stderr(io.StringIO()) as said:
        try:
            failed = compile_single(str(source), options, None).num_errors
        except AssertionError as error:
            return repr(error)
    return said.getvalue() if failed else ""

faults = {}
if fault("together", modules):
    faults = {module: said for module in modules if (said := fault("alone", [module]))}
Path(work, "faults.json").write_text(json.dumps(faults))
"""
# These go through the C++ compiler too: headers in the wheel, pointers to functions, classes, fused types.
COMPILED = {
    "numpy": ("numpy", "numpy.random.bit_generator"),
    "scipy": ("scipy.linalg.cython_blas", "scipy.special.cython_special"),
    "scikit_learn": ("sklearn.tree._criterion", "sklearn.utils._typedefs", "sklearn.metrics._dist_metrics"),
    "pandas": (),  # declares nothing, on PyPI neither
}


@pytest.fixture(scope="module")
def cython(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a venv that has Cython."""
    venv = tmp_path_factory.mktemp("cython")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "cython>=3.1.2,<3.2.6"], check=True)
    return python


@pytest.fixture(scope="module")
def ours(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The site folder that our wheels of one profile are installed in, by distribution."""
    profile = sorted(path.name.split("+")[1].split(".")[0] for path in wheelhouse.glob("numpy-*.whl"))[0]
    wheels = sorted(wheelhouse.glob(f"*+{profile}.*.whl"))
    site = install([str(wheel) for wheel in wheels], tmp_path_factory.mktemp("ours"))
    return {wheel.name.split("-")[0]: site for wheel in wheels}


@pytest.fixture(scope="module")
def stock(ours: dict[str, Path], wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site folder of PyPI's wheels of the same versions."""
    versions = {path.name.split("-")[0]: path.name.split("-")[1] for path in wheelhouse.glob("*.whl")}
    pins = [f"{name}=={versions[name].split('+')[0]}" for name in ours if name in COMPILED]
    return install(["--only-binary=:all:", *pins], tmp_path_factory.mktemp("stock"))


def install(wanted: list[str], site: Path) -> Path:
    argv = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--target",
        str(site),
    ]
    subprocess.run([*argv, *wanted], check=True)
    return site


def declared(site: Path, package: str) -> list[str]:
    """The modules that a package's `.pxd` files declare."""
    paths = (path.relative_to(site).with_suffix("") for path in site.glob(f"{package}/**/*.pxd"))
    parts = {path.parts[: -1 if path.name == "__init__" else None] for path in paths if "." not in path.name}
    return sorted(".".join(names) for names in parts)


def cimport_faults(cython: Path, site: Path, modules: Sequence[str], work: Path) -> dict[str, str]:
    work.mkdir()
    subprocess.run([cython, "-c", CIMPORT, site, work, *modules], check=True)
    found: dict[str, str] = json.loads((work / "faults.json").read_text("utf-8"))
    return found


def compile_fault(site: Path, source: Path) -> str:
    """What the C++ compiler says of a file that Cython wrote; empty where it says nothing."""
    include = [f"-I{sysconfig.get_paths()['include']}", f"-I{site / 'numpy' / '_core' / 'include'}"]
    argv = ["g++", "-fsyntax-only", "-w", *include, str(source)]
    return subprocess.run(argv, stderr=subprocess.PIPE, text=True, check=False).stderr


@pytest.mark.parametrize("distribution", COMPILED)
def test_cimport_each_declared_module_compiles_as_on_pypi(
    distribution: str, cython: Path, ours: dict[str, Path], stock: Path, tmp_path: Path
) -> None:
    if distribution not in ours:
        pytest.skip(f"the wheelhouse has no {distribution}: spokeshave build --all")
    package = {"scikit_learn": "sklearn"}.get(distribution, distribution)
    modules = declared(stock, package)
    assert bool(modules) == bool(COMPILED[distribution])
    on_pypi = cimport_faults(cython, stock, modules, tmp_path / "stock")
    here = cimport_faults(cython, ours[distribution], modules, tmp_path / "ours")
    assert set(here) <= set(on_pypi), "\n".join(here[module] for module in here.keys() - on_pypi.keys())
    if few := COMPILED[distribution]:
        assert cimport_faults(cython, ours[distribution], few, tmp_path / "few") == {}
        assert compile_fault(ours[distribution], tmp_path / "few" / "together.cpp") == ""
