"""Which kernels of a BLAS a CPU can run, by the recipe's data."""

from __future__ import annotations

import json

import pytest

from spokeshave.inside.prover import kernels
from spokeshave.recipes.book import RecipeBook
from support import RECIPES

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
    monkeypatch.setattr(kernels, "ask", lambda package, core: f"{package} {core}")
    kernels.main("demo", {"Best": ["x", "y"], "Base": ["x"]})
    assert json.loads(capsys.readouterr().out) == {
        "runnable": ["Base"],
        "default": "demo None",
        "forced": {"Base": "demo Base"},
    }
