"""Data frames and statistics, against sums done by hand and the standard library."""

from __future__ import annotations

import math
import statistics

import pytest

from bookgen import figures

BOOKS = [
    ("One", "en", "Salt and sea. Salt and wind."),
    ("Two", "de", "Mehl Wasser Salz Mehl"),
    ("Three", "en", "Stars rise. Stars set. Stars stay."),
]


def test_each_book_is_measured() -> None:
    frame = figures.measure(BOOKS)
    assert frame["words"].to_dict() == {"One": 6, "Two": 4, "Three": 6}
    assert frame["sentences"].to_dict() == {"One": 2, "Two": 1, "Three": 3}
    assert frame.loc["One", "words_per_sentence"] == 3.0
    assert frame["richness"].tolist() == pytest.approx([4 / 6, 3 / 4, 4 / 6])


def test_words_are_summed_by_language() -> None:
    assert figures.by_language(figures.measure(BOOKS)) == {"de": 4, "en": 12}


def test_rank_correlation_by_the_formula() -> None:
    """Without ties it is 1 - 6 * sum(d²) / (n * (n² - 1))."""
    books = [("a", "en", "x"), ("b", "en", "x y"), ("c", "en", "x x x"), ("d", "en", "w x y z x")]
    richness_ranks, length_ranks = (3.5, 3.5, 1, 2), (1, 2, 3, 4)
    expected = statistics.correlation(length_ranks, richness_ranks)
    assert figures.correlation(figures.measure(books)) == pytest.approx(expected)


def test_too_few_books_have_no_correlation() -> None:
    assert figures.correlation(figures.measure(BOOKS[:2])) == 0.0


def test_welch_by_the_formula() -> None:
    one, other = [12.0, 15.0, 11.0, 14.0, 18.0], [8.0, 9.0, 12.0, 7.0]
    variances = statistics.variance(one), statistics.variance(other)
    distance = statistics.fmean(one) - statistics.fmean(other)
    found = figures.compare(one, other)
    assert found.t == pytest.approx(distance / math.sqrt(variances[0] / 5 + variances[1] / 4))
    assert found.cohens_d == pytest.approx(distance / math.sqrt(statistics.fmean(variances)))
    assert 0.01 < found.p < 0.05
    assert figures.compare(one, one).p == pytest.approx(1.0)
