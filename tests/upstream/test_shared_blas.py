"""numpy and its shared BLAS as a user meets them: one library, found wherever the wheels lie."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the wheels are for CPython 3.11")

SOLVE = """
import json, numpy, threadpoolctl
from numpy.linalg import eigh, inv
matrix = numpy.random.default_rng(0).normal(size=(200, 200))
error = float(abs(matrix @ inv(matrix) - numpy.eye(200)).max())
hermitian = matrix + 1j * matrix.T
hermitian = hermitian + hermitian.conj().T
values, vectors = eigh(hermitian)  # C LAPACK, miscompiled without -fno-strict-aliasing
error = max(error, float(abs(hermitian @ vectors - vectors * values).max()) / 100)
blas = [x for x in threadpoolctl.threadpool_info() if x["user_api"] == "blas"]
config = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
print(json.dumps({"error": error, "blas": blas, "config": config, "where": numpy.__file__}))
"""


WHOLE_STACK = """
import json, numpy, pandas, scipy.linalg, scipy.sparse.linalg, scipy.stats, sklearn.decomposition
import threadpoolctl
matrix = numpy.random.default_rng(0).normal(size=(300, 40))
scipy.linalg.svd(matrix)
fitted = sklearn.decomposition.PCA(5).fit(pandas.DataFrame(matrix))
blas = [x["filepath"] for x in threadpoolctl.threadpool_info() if x["user_api"] == "blas"]
mapped = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}
names = {path: path.rsplit("/", 1)[-1] for path in mapped}
loaded = sorted(path for path, name in names.items() if name.startswith("lib") and "blas" in name)
fortran = sorted(path for path in mapped if "gfortran" in path or "quadmath" in path)
print(json.dumps({"blas": blas, "loaded": loaded, "fortran": fortran}))
"""


def install(wheels: list[Path], target: Path) -> Path:
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([*argv, *map(str, wheels)], check=True)
    return target


def solve(*folders: Path, **env: str) -> dict[str, object]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", SOLVE],
        env={**clean, "PYTHONPATH": os.pathsep.join(map(str, folders)), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def wheels(wheelhouse: Path) -> dict[str, Path]:
    labels = {
        path: path.name.split("+")[1].split("-")[0].rpartition(".")[0] for path in wheelhouse.glob("*+*.whl")
    }
    chosen = min(label for path, label in labels.items() if path.name.startswith("numpy-"))
    return {path.name.split("-")[0]: path for path, label in labels.items() if label == chosen}


@pytest.fixture(scope="module")
def threadpoolctl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("threadpoolctl")
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), "threadpoolctl<4"]
    subprocess.run(argv, check=True)
    return target


@pytest.fixture(scope="module")
def together(
    wheels: dict[str, Path], threadpoolctl: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ...]:
    target = tmp_path_factory.mktemp("together")
    return install([wheels["numpy"], wheels["slim_openblas"]], target), threadpoolctl


def test_one_blas_that_threadpoolctl_sees(together: tuple[Path, ...]) -> None:
    result = solve(*together)
    blas = result["blas"]
    assert isinstance(blas, list)
    assert [one["internal_api"] for one in blas] == ["openblas"]
    assert Path(blas[0]["filepath"]).name == "libopenblas_slim.so.0"
    assert blas[0]["version"] == "0.3.31"
    assert result["error"] < 1e-9  # type: ignore[operator]


def test_show_config_names_the_blas(together: tuple[Path, ...]) -> None:
    config = solve(*together)["config"]
    assert isinstance(config, dict)
    assert (config["name"], config["version"]) == ("openblas64", "0.3.31")


def test_wheels_in_separate_site_folders(
    wheels: dict[str, Path], threadpoolctl: Path, tmp_path: Path
) -> None:
    numpy = install([wheels["numpy"]], tmp_path / "a")
    blas = install([wheels["slim_openblas"]], tmp_path / "b")
    result = solve(numpy, blas, threadpoolctl)
    assert result["error"] < 1e-9  # type: ignore[operator]
    assert str(tmp_path / "b") in result["blas"][0]["filepath"]  # type: ignore[index]


def test_run_path_alone_is_enough_side_by_side(
    wheels: dict[str, Path], threadpoolctl: Path, tmp_path: Path
) -> None:
    site = install([wheels["numpy"], wheels["slim_openblas"]], tmp_path / "site")
    (site / "numpy" / "_distributor_init_local.py").unlink()
    result = solve(site, threadpoolctl)
    assert result["error"] < 1e-9  # type: ignore[operator]


@pytest.mark.parametrize("core", ["Prescott", "Haswell", "SkylakeX"])
def test_each_kernel_solves(together: tuple[Path, ...], core: str) -> None:
    needs = {"Prescott": {"pni"}, "Haswell": {"avx2", "fma"}, "SkylakeX": {"avx512f", "avx512vl"}}[core]
    flags = next(ln for ln in Path("/proc/cpuinfo").read_text().splitlines() if ln.startswith("flags"))
    if not needs <= set(flags.split()):
        pytest.skip(f"this CPU cannot run the {core} kernels")
    result = solve(*together, OPENBLAS_CORETYPE=core)
    assert result["blas"][0]["architecture"] == core  # type: ignore[index]
    assert result["error"] < 1e-9  # type: ignore[operator]


def test_whole_stack_has_one_blas(wheels: dict[str, Path], tmp_path: Path) -> None:
    if missing := {"scipy", "pandas", "scikit_learn"} - wheels.keys():
        pytest.skip(f"the wheelhouse has no {', '.join(sorted(missing))}: spokeshave build --all")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    names = ("slim_openblas", "numpy", "scipy", "pandas", "scikit_learn")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *(wheels[name] for name in names)], check=True)
    done = subprocess.run([python, "-c", WHOLE_STACK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [Path(path).name for path in result["blas"]] == ["libopenblas_slim.so.0"]
    assert result["loaded"] == [os.path.realpath(result["blas"][0])]
    assert result["fortran"] == []


QUERIES = """
import ctypes, json, sys
library, n = ctypes.CDLL(sys.argv[1]), 50_000
# Letters, then the other arguments: n, an array, the workspace, its length, info.
ROUTINES = {
    "dgesdd": ("S", "nnanaananw-ai"),
    "sgesdd": ("S", "nnanaananw-ai"),
    "dgeev": ("VV", "nanaaananw-i"),
    "dsyevd": ("VL", "nanaw-a-i"),
    "dgelsd": ("", "nnnananaaaw-ai"),
    "dgeqrf": ("", "nnanaw-i"),
}
def query(name, integer):
    plain = name.removeprefix("scipy_").split("_")[0]
    letters, words = ROUTINES[plain]
    real = ctypes.c_float if plain[0] == "s" else ctypes.c_double
    work, array, info = (real * 2)(), (real * 8)(), integer(0)
    known = {"n": integer(n), "-": integer(-1), "i": info}
    passed = [ctypes.c_char_p(letter.encode()) for letter in letters]
    passed += [ctypes.byref(known[w]) if w in known else work if w == "w" else array for w in words]
    getattr(library, name)(*passed, *[ctypes.c_size_t(1)] * len(letters))
    assert info.value == 0, name
    return int(work[0])
narrow = {name: query(f"{name}_", ctypes.c_int32) for name in ROUTINES}
wide = {name: query(f"scipy_{name}_64_", ctypes.c_int64) for name in ROUTINES}
print(json.dumps([narrow, wide]))
"""
# The answers of PyPI's numpy 2.4.6 (64-bit integers) and scipy 1.17.1 (32-bit integers).
WIDE = {
    "dgesdd": 7500350000,
    "sgesdd": 7500350976,  # rounded up to a float
    "dgeev": 6500000,
    "dsyevd": 5000300001,
    "dgelsd": 2507500676,
    "dgeqrf": 1600000,
}
NARROW = {**WIDE, "dgesdd": 3350000, "sgesdd": 3350000, "dsyevd": 705332705, "dgelsd": 3350000}


def test_workspaces_of_50000_rows_are_right_in_64_bits_and_overflow_in_32(together: tuple[Path, ...]) -> None:
    library = together[0] / "slim_openblas" / "lib" / "libopenblas_slim.so.0"
    argv = [sys.executable, "-c", QUERIES, str(library)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [NARROW, WIDE]


LSTSQ = (
    "import numpy; numpy.linalg.lstsq(numpy.eye(3, dtype=numpy.float32), numpy.ones(3, dtype=numpy.float32))"
)


def test_lstsq_of_float32_prints_nothing(together: tuple[Path, ...]) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, together))}
    done = subprocess.run([sys.executable, "-c", LSTSQ], env=env, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
