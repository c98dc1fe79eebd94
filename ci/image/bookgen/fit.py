"""Laws fitted to texts: how frequent the word of a rank is, and how a vocabulary grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special


@dataclass(frozen=True)
class Growth:
    """Heaps' law: a text of n words has `factor` * n ** `exponent` different ones."""

    factor: float
    exponent: float


def zipf_exponent(counts: Sequence[int]) -> float:
    """The exponent s of Zipf's law, p(rank) ~ rank ** -s, of greatest likelihood.

    `counts` are word frequencies, the greatest first. The ranks are as many as there are words.
    """
    frequency = np.asarray(counts, dtype=float)
    ranks = np.log(np.arange(1, len(frequency) + 1))
    total, weighted = frequency.sum(), float(frequency @ ranks)

    def unlikelihood(exponent: float) -> float:
        return float(exponent * weighted + total * special.logsumexp(-exponent * ranks))

    return float(optimize.minimize_scalar(unlikelihood, bounds=(0.0, 5.0), method="bounded").x)


def vocabulary_growth(words: Sequence[str]) -> Growth:
    """Heaps' law by least squares, over all beginnings of a text of at least three words."""
    seen: set[str] = set()
    sizes = []
    for word in words:
        seen.add(word)
        sizes.append(len(seen))
    lengths = np.arange(1, len(sizes) + 1, dtype=float)
    (factor, exponent), _ = optimize.curve_fit(_heaps, lengths, np.asarray(sizes, float), p0=(1.0, 0.7))
    return Growth(factor=float(factor), exponent=float(exponent))


def _heaps(length: np.ndarray, factor: float, exponent: float) -> np.ndarray:
    return np.asarray(factor * length**exponent)
