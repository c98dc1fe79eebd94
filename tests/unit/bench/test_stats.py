import math

import pytest

from spokeshave.bench.model import Visit
from spokeshave.bench.stats import (
    centre,
    combined_ratio,
    geometric_mean,
    is_outlier,
    lasting_ratio,
    quartiles,
    round_ratios,
    summarise,
    visit_ratio,
)


def visit(ours: list[float], stock: list[float]) -> Visit:
    return Visit(number=1, ours=tuple(ours), stock=tuple(stock))


def test_disturbed_samples_do_not_move_a_visit() -> None:
    assert visit_ratio(visit([2, 4, 7, 2, 90], [3, 1, 8, 1, 1])) == pytest.approx(2)
    assert centre([5.0, 1.0, 3.0, 9.0]) == 2.0
    assert centre([1.0]) == 1.0


def test_swapping_the_sides_inverts_the_ratio() -> None:
    ours, stock = [3.0, 3.2, 3.1, 9.0], [1.0, 1.1, 1.3, 1.2]
    there, back = visit_ratio(visit(ours, stock)), visit_ratio(visit(stock, ours))
    assert there * back == pytest.approx(1)


def test_visits_agree_by_their_median_in_logarithms() -> None:
    visits = [visit([ratio] * 2, [1.0] * 2) for ratio in (1.0, 8.0, 1.2)]
    assert combined_ratio(visits) == pytest.approx(1.2)
    assert combined_ratio(visits[:2]) == pytest.approx(math.sqrt(8))


@pytest.mark.parametrize(
    ("ratios", "lasting"),
    [
        ((1.6,), None),
        ((1.6, 1.2, 1.9), 1.2),
        ((0.5, 0.8), 0.8),
        ((1.6, 0.9, 1.7), 1.0),
    ],
    ids=["one visit tells nothing", "slower each time", "faster each time", "now this, now that"],
)
def test_what_all_visits_agree_on(ratios: tuple[float, ...], lasting: float | None) -> None:
    found = lasting_ratio([visit([ratio] * 2, [1.0] * 2) for ratio in ratios])
    assert found == (lasting if lasting is None else pytest.approx(lasting))


def test_each_round_has_a_ratio_of_its_own() -> None:
    drifting = visit([2, 4, 20, 50], [1, 3, 30, 40])
    assert round_ratios(drifting) == pytest.approx((2.0, 20 / 30))


def test_quartiles() -> None:
    assert quartiles([1, 2, 3, 4, 5]) == (2, 3, 4)
    assert quartiles([7.0]) == (7.0, 7.0, 7.0)


def test_geometric_mean() -> None:
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("ratio", "out"), [(0.89, True), (0.9, False), (1.0, False), (1.1, False), (1.11, True)]
)
def test_stands_out(ratio: float, out: bool) -> None:
    assert is_outlier(ratio) is out


def test_summary_gives_each_function_one_vote_in_its_second_mean() -> None:
    found = summarise([("f", 2.0), ("f", 2.0), ("f", 2.0), ("g", 0.5)])
    assert found is not None
    assert (found.count, found.functions) == (4, 2)
    assert found.mean == pytest.approx(2 ** (2 / 4))
    assert found.mean_by_function == pytest.approx(1)
    assert found.over == {1.10: 0.75, 1.15: 0.75, 1.5: 0.75}
    assert found.under == {0.9: 0.25, 0.67: 0.25}
    assert summarise([]) is None
