"""Who races and in what: without venvs, wheels or a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from spokeshave.bench.race import Part, RaceRequest, _heats
from spokeshave.bench.sides import Contest, Side, find_sides, stack_of
from spokeshave.context import Context
from spokeshave.errors import BenchError
from spokeshave.inside.model import Target
from support import make_context

STOCK = Side(label="stock", wheels=())


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return make_context(tmp_path, logs=tmp_path)


def ask(tmp_path: Path, *packages: str, parts: set[Part], threads: tuple[int, ...] = (1,)) -> RaceRequest:
    contest = Contest(
        packages=packages, profile="lean", wheelhouse=tmp_path, against="stock", target=Target()
    )
    return RaceRequest(
        contest=contest,
        parts=frozenset(parts),
        threads=threads,
        seconds=1,
        pattern="",
        output=tmp_path,
    )


def test_a_package_comes_with_what_it_is_proved_with(context: Context) -> None:
    names = [loaded.recipe.name for loaded in stack_of(context, ("scikit-learn", "numpy"))]
    assert names == ["numpy", "scipy", "pandas", "scikit-learn"]


def test_each_package_has_its_suite_and_its_import(context: Context, tmp_path: Path) -> None:
    request = ask(tmp_path, "pandas", "scikit-learn", parts={"suite", "imports"}, threads=(1, 2))
    heats = list(_heats(context, request, STOCK, tmp_path))
    assert [(heat.what, heat.options.threads, heat.options.modules) for heat in heats] == [
        ("bench-pandas", 1, ("pandas",)),
        ("bench-pandas", 2, ()),
        ("bench-scikit-learn", 1, ("sklearn.ensemble",)),
        ("bench-scikit-learn", 2, ()),
    ]
    assert {heat.suite.name for heat in heats} == {"pandas", "sklearn"}


def test_imports_and_blas_calls_alone(context: Context, tmp_path: Path) -> None:
    request = ask(tmp_path, "numpy", "scipy", parts={"imports", "blas"}, threads=(1, 2))
    imports, *blas = _heats(context, request, STOCK, tmp_path)
    assert (imports.what, imports.options.modules) == ("imports-numpy-scipy", ("numpy", "scipy.stats"))
    assert imports.suite.joinpath("benchmarks", "__init__.py").is_file(), "an empty suite"
    assert [(heat.what, heat.options.threads) for heat in blas] == [("blas", 1), ("blas", 2)]


def test_a_target_without_a_stock_wheel_is_told(context: Context, tmp_path: Path) -> None:
    target = Target(arch="aarch64")
    contest = Contest(
        packages=("numpy",), profile="stock", wheelhouse=tmp_path, against="stock", target=target
    )
    with pytest.raises(BenchError, match=r"recipe numpy pins no stock wheel .*aarch64"):
        find_sides(context, contest)


def test_versions_are_those_of_the_release() -> None:
    wheels = ("scikit_learn-1.9.1+lean.1-cp311-cp311-linux_x86_64.whl", "slim_openblas-0.3-py3-none-any.whl")
    side = Side(label="lean", wheels=tuple(map(Path, wheels)))
    assert side.versions == {"scikit-learn": "1.9.1", "slim-openblas": "0.3"}
