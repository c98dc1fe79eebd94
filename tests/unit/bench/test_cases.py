from itertools import pairwise
from typing import Any

import pytest

from spokeshave.bench.cases import catalogue, in_passes, spread
from spokeshave.bench.model import Case


def listing(**functions: list[list[str]]) -> dict[str, Any]:
    return {
        "benchmarks": [
            {
                "name": name.replace("__", "."),
                "params": params,
                "names": [f"p{at}" for at, _ in enumerate(params)],
            }
            for name, params in functions.items()
        ],
        "other": ["m.track_x"],
        "broken": {},
    }


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 10, 64, 97, 360])
@pytest.mark.parametrize("start", [0, 5, 12345])
def test_spread_is_a_permutation(count: int, start: int) -> None:
    assert sorted(spread(count, start)) == list(range(count))


def test_a_prefix_of_spread_reaches_all_parts() -> None:
    first = list(spread(100, 0))[:10]
    assert {index // 20 for index in first} == {0, 1, 2, 3, 4}


def test_neighbours_in_spread_change_every_axis() -> None:
    pairs = [(index // 6, index % 6) for index in spread(36, 0)]
    for (row, column), (next_row, next_column) in pairwise(pairs):
        assert row != next_row
        assert column != next_column


def test_every_function_comes_once_before_any_comes_twice() -> None:
    functions = [[Case(benchmark=f"m{k % 3}.f{k}", params=(str(p),)) for p in range(k + 1)] for k in range(6)]
    order = list(in_passes(functions, seed=0))
    assert len(order) == len(set(order)) == 21
    assert {case.benchmark for case in order[:6]} == {f"m{k % 3}.f{k}" for k in range(6)}
    assert len({case.benchmark for case in order[6:11]}) == 5


def test_the_order_depends_on_the_seed_alone() -> None:
    functions = [[Case(benchmark=f"m.f{k}", params=(str(p),)) for p in range(9)] for k in range(4)]
    assert list(in_passes(functions, 1)) == list(in_passes(functions, 1))
    assert list(in_passes(functions, 1)) != list(in_passes(functions, 2))


def test_catalogue_pairs_by_written_parameters() -> None:
    found = catalogue(listing(m__f=[["'b'", "'c'"]], m__new=[]), listing(m__f=[["'a'", "'b'"]], m__gone=[]))
    assert found.cases == (
        Case(benchmark="m.f", params=("'b'",), ours_index=0, stock_index=1, names=("p0",)),
    )
    assert found.functions == 1
    assert found.only_ours == ("m.f('c')", "m.new")
    assert found.only_stock == ("m.f('a')", "m.gone")
    assert found.other_types == 1


def test_catalogue_filters_and_limits() -> None:
    both = listing(m__f=[["1", "2"], ["x", "y"]], m__g=[], n__h=[])
    found = catalogue(both, both, pattern=r"^m\.", limit=3)
    assert found.filtered == 1
    assert found.functions == 2
    assert len(found.cases) == 3
    assert all(case.ours_index == case.stock_index for case in found.cases)
    assert catalogue(both, both, pattern="nothing").cases == ()
