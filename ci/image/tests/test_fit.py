"""Optimisation: laws are found again in texts that were made by them."""

from __future__ import annotations

import math

import pytest

from bookgen.fit import vocabulary_growth, zipf_exponent


def test_zipf_finds_the_exponent_of_its_own_law() -> None:
    for exponent in (0.8, 1.0, 1.3):
        counts = [round(1e6 * rank**-exponent) for rank in range(1, 500)]
        assert zipf_exponent(counts) == pytest.approx(exponent, abs=1e-3)


def test_words_of_one_frequency_have_the_exponent_nought() -> None:
    assert zipf_exponent([5, 5, 5, 5]) == pytest.approx(0.0, abs=1e-4)


def test_the_greatest_likelihood_is_where_its_slope_is_nought() -> None:
    """There the mean of log rank in the sample is its expectation."""
    counts = [9, 4, 3, 1, 1]
    s = zipf_exponent(counts)
    logs = [math.log(rank) for rank in range(1, 6)]
    weights = [math.exp(-s * one) for one in logs]
    expected = sum(w * one for w, one in zip(weights, logs, strict=True)) / sum(weights)
    assert sum(c * one for c, one in zip(counts, logs, strict=True)) / sum(counts) == pytest.approx(
        expected, abs=1e-4
    )


def test_a_text_of_new_words_grows_by_its_length() -> None:
    growth = vocabulary_growth([f"word{number}" for number in range(200)])
    assert (growth.factor, growth.exponent) == (pytest.approx(1.0), pytest.approx(1.0))


def test_growth_follows_a_square_root() -> None:
    """A new word at each square: n words hold about sqrt(n) different ones."""
    words = [f"new{math.isqrt(n)}" for n in range(1, 10_000)]
    growth = vocabulary_growth(words)
    assert growth.exponent == pytest.approx(0.5, abs=0.02)
