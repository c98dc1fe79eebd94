"""The sides and suites of a comparison: without venvs, wheels or a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from spokeshave.bench.sides import Side, SidesRequest, find_sides, stack_of
from spokeshave.bench.suite_runs import BenchRequest, Part, _suite_runs
from spokeshave.context import Context
from spokeshave.errors import BenchError
from spokeshave.inside.model import Target
from support import make_context

STOCK = Side(label="stock", wheels=())


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return make_context(tmp_path, logs=tmp_path)


def ask(tmp_path: Path, *packages: str, parts: set[Part], threads: tuple[int, ...] = (1,)) -> BenchRequest:
    sides = SidesRequest(
        packages=packages, profile="lean", wheelhouse=tmp_path, against="stock", target=Target()
    )
    return BenchRequest(
        sides=sides,
        parts=frozenset(parts),
        threads=threads,
        seconds=1,
        pattern="",
        output=tmp_path,
    )


def test_stack_of_holds_the_verification_stack_of_a_package(context: Context) -> None:
    names = [loaded.recipe.name for loaded in stack_of(context, ("scikit-learn", "numpy"))]
    assert names == ["numpy", "scipy", "pandas", "scikit-learn"]


def test_each_package_has_its_suite_and_its_import(context: Context, tmp_path: Path) -> None:
    request = ask(tmp_path, "pandas", "scikit-learn", parts={"suite", "imports"}, threads=(1, 2))
    runs = list(_suite_runs(context, request, STOCK, tmp_path))
    assert [(run.what, run.options.threads, run.options.modules) for run in runs] == [
        ("bench-pandas", 1, ("pandas",)),
        ("bench-pandas", 2, ()),
        ("bench-scikit-learn", 1, ("sklearn.ensemble",)),
        ("bench-scikit-learn", 2, ()),
    ]
    assert {run.suite.name for run in runs} == {"pandas", "sklearn"}


def test_imports_and_blas_calls_alone(context: Context, tmp_path: Path) -> None:
    request = ask(tmp_path, "numpy", "scipy", parts={"imports", "blas"}, threads=(1, 2))
    imports, *blas = _suite_runs(context, request, STOCK, tmp_path)
    assert (imports.what, imports.options.modules) == ("imports-numpy-scipy", ("numpy", "scipy.stats"))
    assert imports.suite.joinpath("benchmarks", "__init__.py").is_file(), "an empty suite"
    assert [(run.what, run.options.threads) for run in blas] == [("blas", 1), ("blas", 2)]


def test_find_sides_target_without_a_pypi_wheel_is_an_error(context: Context, tmp_path: Path) -> None:
    target = Target(arch="aarch64")
    sides = SidesRequest(
        packages=("numpy",), profile="stock", wheelhouse=tmp_path, against="stock", target=target
    )
    with pytest.raises(BenchError, match=r"recipe numpy pins no PyPI wheel .*aarch64"):
        find_sides(context, sides)


def test_versions_are_those_of_the_release() -> None:
    wheels = ("scikit_learn-1.9.1+lean.1-cp311-cp311-linux_x86_64.whl", "slim_openblas-0.3-py3-none-any.whl")
    side = Side(label="lean", wheels=tuple(map(Path, wheels)))
    assert side.versions == {"scikit-learn": "1.9.1", "slim-openblas": "0.3"}
