"""Hints at the names that a mistyped one is nearest to."""

from __future__ import annotations

import pytest

from spokeshave.nearest import did_you_mean, nearest

MODULES = ["scipy", "scipy.linalg", "scipy.linalg._misc", "scipy.sparse.linalg", "scipy.signal", "numpy.fft"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("scipy.linlag", ["scipy.linalg"]),
        ("linalg", ["scipy.linalg", "scipy.sparse.linalg"]),
        ("scipy.signals", ["scipy.signal"]),
        ("tensorflow", []),
        ("", []),
    ],
)
def test_nearest_word_gives_near_names_alone(word: str, found: list[str]) -> None:
    assert nearest(word, MODULES) == found


def test_nearest_many_alike_gives_three() -> None:
    assert len(nearest("part-x", [f"part-{at}" for at in range(9)])) == 3


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("odr", ["ord"], "did you mean 'ord'?"),
        ("part-x", ["part-a", "part-b", "part-c"], "did you mean 'part-c', 'part-b' or 'part-a'?"),
        ("zzz", ["b", "a"], "known: a, b"),
        ("zzz", [], "known: none"),
        ("zzz", [f"a{at}" for at in range(10)], "known: a0, a1, a2, a3, a4, a5, a6, a7 and 2 more"),
    ],
)
def test_did_you_mean_word_hints_shortly(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, known) == hint
