"""Which kernels of a BLAS a CPU can run, by the recipe's data."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spokeshave.inside.prover import kernels
from spokeshave.recipes.book import RecipeBook
from support import RECIPES, needs_compiler

FEATURES = RecipeBook([RECIPES]).load("openblas").recipe.verify.cpu_features
OLD, USUAL = {"pni"}, {"pni", "avx2", "fma"}


@pytest.mark.parametrize(
    ("flags", "cores"),
    [
        (set(), []),
        (OLD, ["Prescott"]),
        (OLD | {"avx2"}, ["Prescott"]),
        (USUAL, ["Haswell", "Prescott"]),
        (USUAL | {"avx512f", "avx512dq", "avx512bw", "avx512vl"}, ["SkylakeX", "Haswell", "Prescott"]),
    ],
)
def test_runnable_cores_of_openblas_best_first(flags: set[str], cores: list[str]) -> None:
    assert kernels.runnable_cores(FEATURES, flags) == cores


def test_main_asks_for_the_cores_of_the_given_features(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernels, "cpu_flags", lambda: {"x"})
    monkeypatch.setattr(kernels, "ask", lambda package, symbols, core: f"{package} {core} {symbols}")
    kernels.main("demo", {"Best": ["x", "y"], "Base": ["x"]}, {})
    assert json.loads(capsys.readouterr().out) == {
        "runnable": ["Base"],
        "default": "demo None {}",
        "forced": {"Base": "demo Base {}"},
    }


DGEMM = """
void cblas_dgemm(int order, int ta, int tb, INT m, INT n, INT k, double alpha, double *a, INT lda, double *b,
                 INT ldb, double beta, double *c, INT ldc) {
  if (m < 0 || ldb < k || ldc < m) return;
  for (INT j = 0; j < n; j++) for (INT i = 0; i < m; i++) {
    double sum = 0;
    for (INT l = 0; l < k; l++) sum += a[i + l * lda] * b[l + j * ldb];
    c[i + j * ldc] = sum + SLIP;
  }
}
"""


@needs_compiler
@pytest.mark.parametrize("width", ["lp64", "ilp64"])
@pytest.mark.parametrize(
    ("integer", "slip", "right"),
    [("int", 0, {"lp64"}), ("long", 0, {"ilp64"}), ("int", 1, set()), ("long", 1, set())],
)
def test_product_fault_dgemm_of_another_width_or_wrong_is_found(
    tmp_path: Path, width: str, integer: str, slip: int, right: set[str]
) -> None:
    (tmp_path / "a.c").write_text(DGEMM)
    words = (f"-DINT={integer}", f"-DSLIP={slip}")
    subprocess.run(["cc", "-shared", "-fPIC", *words, "a.c", "-o", "a.so"], cwd=tmp_path, check=True)
    fault = kernels.product_fault(ctypes.CDLL(str(tmp_path / "a.so")), width, "cblas_dgemm")
    assert fault == ("" if width in right else f"{width}: cblas_dgemm returns a wrong product")


def test_product_fault_a_missing_symbol_is_named() -> None:
    assert kernels.product_fault(ctypes.CDLL(None), "ilp64", "scipy_cblas_dgemm64_") == (
        "ilp64: the library has no scipy_cblas_dgemm64_"
    )


def test_ask_a_wrong_product_is_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blasless.py").write_text("import ctypes\ndef load():\n    return ctypes.CDLL(None)\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), *sys.path)))
    answer = kernels.ask("blasless", {"lp64": "of_nobody"}, None)
    assert answer == "exit 1: lp64: the library has no of_nobody"
