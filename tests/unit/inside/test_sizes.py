"""Bytecode is what an install writes, and is never guessed; parts tell packages from the BLAS they bundle."""

from __future__ import annotations

import importlib.util
import py_compile
import sys
from pathlib import Path

import pytest

from spokeshave.inside.bytecode import can_compile_for, compiled_bytes
from spokeshave.inside.sizes import Sizes, sizes
from spokeshave.report.parts import BLAS, comparable, package_of, parts, total
from support import write_wheel

HERE = f"cp{sys.version_info.major}{sys.version_info.minor}"
SOURCE = b'"""Text."""\n\ndef f(a: int = 1) -> list[int]:\n    """More."""\n    return [a for _ in "xyz"]\n'


def test_bytecode_has_the_size_that_the_standard_compiler_writes(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_bytes(SOURCE)
    site = f"/usr/local/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/"
    written = py_compile.compile(str(source), str(tmp_path / "out.pyc"), dfile=f"{site}demo/module.py")
    assert written
    assert compiled_bytes(SOURCE, "demo/module.py") == Path(written).stat().st_size


def test_the_standard_library_is_measured_like_its_own_cache() -> None:
    """A real module: only the path in it may differ, by its length."""
    path = Path(py_compile.__file__)
    cached = Path(importlib.util.cache_from_source(str(path)))
    if not cached.is_file():
        pytest.skip("this Python has no bytecode of its own library on the disk")
    difference = compiled_bytes(path.read_bytes(), path.name) - cached.stat().st_size
    assert abs(difference) < 100


@pytest.mark.parametrize("source", [b"def {{ name }}():\n", b"\0", b"print 'x'", b"\xff = 1"])
def test_what_does_not_compile_gets_no_bytecode(source: bytes) -> None:
    assert compiled_bytes(source, "template.py") == 0


@pytest.mark.filterwarnings("error")
def test_upstreams_warnings_are_not_ours() -> None:
    assert compiled_bytes(b"x = '\\d'\n", "a.py") > 0


def wheel(folder: Path, name: str, files: dict[str, bytes], python: str = HERE) -> Sizes:
    return sizes(write_wheel(folder / f"{name}-1.0-{HERE}-{HERE}-linux_x86_64.whl", files), python)


def test_another_python_is_not_measured(tmp_path: Path) -> None:
    assert can_compile_for(HERE)
    assert not can_compile_for("cp39")
    known = wheel(tmp_path, "demo", {"demo/a.py": SOURCE, "demo/b.txt": b"b"})
    assert known.bytecode == compiled_bytes(SOURCE, "demo/a.py") > 0
    other = wheel(tmp_path, "demo", {"demo/a.py": SOURCE, "demo/b.txt": b"b"}, python="cp39")
    assert other.bytecode is None
    assert [file.bytecode for file in other.files][:2] == [None, 0]


def test_progress_is_told_file_by_file(tmp_path: Path) -> None:
    heard: list[str] = []
    path = write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", {"demo/a.py": b""})
    sizes(path, HERE, heard.append)
    assert heard == ["demo/a.py", "demo-1.0.dist-info/RECORD"]


def test_the_shared_blas_stands_beside_all_bundled_ones(tmp_path: Path) -> None:
    numpy = {"numpy/__init__.py": SOURCE, "numpy/core.so": b"e" * 100}
    bundled = {
        "numpy.libs/libscipy_openblas64_-1.so": b"o" * 500,
        "numpy.libs/libgfortran-1.so.5": b"f" * 50,
        "numpy.libs/libquadmath-1.so.0": b"q" * 5,
    }
    scipy = {"scipy/core.so": b"e" * 70, "scipy.libs/libscipy_openblas-2.so": b"p" * 400}
    gomp = {"scipy.libs/libgomp-3.so": b"g" * 9}
    ours = [
        wheel(tmp_path / "ours", "numpy", numpy),
        wheel(tmp_path / "ours", "scipy", {"scipy/core.so": b"e" * 60}),
        wheel(tmp_path / "ours", "slim_openblas", {"slim_openblas/lib/libopenblas_slim.so.0": b"s" * 300}),
    ]
    stock = [
        wheel(tmp_path / "stock", "numpy", {**numpy, **bundled}),
        wheel(tmp_path / "stock", "scipy", {**scipy, **gomp}),
    ]
    rows = {row.name: row for row in parts(ours, stock, "slim-openblas")}
    assert list(rows) == ["numpy", "scipy", BLAS]
    blas = rows[BLAS]
    assert blas.stock and blas.ours
    assert blas.stock.unpacked == 955
    assert blas.ours.unpacked == ours[2].unpacked
    assert blas.ours.wheel == ours[2].wheel
    assert rows["scipy"].stock and rows["scipy"].stock.kinds["bundled libraries"] == 9
    whole = total(tuple(rows.values()))
    assert whole.ours and whole.stock
    for side, wheels in ((whole.ours, ours), (whole.stock, stock)):
        assert side.unpacked == sum(one.unpacked for one in wheels)
        assert side.wheel == sum(one.wheel for one in wheels)
        assert side.bytecode == sum(one.bytecode or 0 for one in wheels)
        assert side.installed == side.unpacked + (side.bytecode or 0)
    assert comparable(tuple(rows.values()))
    assert not comparable(parts(ours, stock[:1], "slim-openblas"))
    assert package_of("scikit_learn-1.0-py3-none-any.whl") == "scikit-learn"
