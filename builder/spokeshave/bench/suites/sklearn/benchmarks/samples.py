"""Samples of fixed seeds: clouds, labels that can be learnt, targets, and texts."""

from __future__ import annotations

from typing import Any

import numpy as np


def rng() -> Any:
    """The same numbers in every case and in both installs."""
    return np.random.default_rng(31)


def clouds(samples: int, features: int = 12, centres: int = 8) -> Any:
    """Normal clouds around a few centres."""
    draw = rng()
    places = draw.normal(scale=4, size=(centres, features))
    return places[draw.integers(0, centres, samples)] + draw.normal(size=(samples, features))


def labelled(samples: int, features: int = 20) -> tuple[Any, Any]:
    """Features, and two classes that a plane and a bend in it part, but for some noise."""
    draw = rng()
    x = draw.normal(size=(samples, features))
    score = x[:, 0] - 2 * x[:, 1] + x[:, 2] * x[:, 3] + draw.normal(scale=0.5, size=samples)
    return x, (score > 0).astype(np.int64)


def targets(samples: int, features: int = 20) -> tuple[Any, Any]:
    """Features, and a number that half of them add up to, with noise."""
    draw = rng()
    x = draw.normal(size=(samples, features))
    weights = np.where(np.arange(features) % 2, 0.0, np.arange(features) - 5.0)
    return x, x @ weights + draw.normal(size=samples)


def texts(count: int = 1_500) -> list[str]:
    """Texts of a made-up language, some of whose words are far more common than others."""
    draw = rng()
    syllables = ["ka", "lo", "mi", "ren", "tu", "sha", "vel", "po"]
    words = ["".join(draw.choice(syllables, size=draw.integers(2, 5))) for _ in range(2_000)]
    picked = draw.zipf(1.4, size=(count, 40)) % len(words)
    return [" ".join(words[at] for at in row) for row in picked.tolist()]
