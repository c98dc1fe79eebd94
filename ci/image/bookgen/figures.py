"""Books in numbers: data frames and statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from bookgen.texts import sentences, words


@dataclass(frozen=True)
class Comparison:
    """Welch's test of two samples: t, the probability of such a t by chance, and the effect's size."""

    t: float
    p: float
    cohens_d: float


def measure(books: Iterable[tuple[str, str, str]]) -> pd.DataFrame:
    """A row for each (title, language, text): numbers of words, sentences, different words."""
    rows = []
    for title, language, text in books:
        found = words(text)
        rows.append((title, language, len(found), len(sentences(text)), len(set(found))))
    frame = pd.DataFrame(rows, columns=["title", "language", "words", "sentences", "different"])
    frame["words_per_sentence"] = frame["words"] / frame["sentences"].clip(lower=1)
    frame["richness"] = frame["different"] / frame["words"].clip(lower=1)
    return frame.set_index("title")


def by_language(frame: pd.DataFrame) -> dict[str, int]:
    """Words in all, language by language."""
    sums = frame.groupby("language", observed=True)["words"].sum()
    return {str(language): int(count) for language, count in sums.items()}


def correlation(frame: pd.DataFrame) -> float:
    """Spearman's rank correlation of length and richness; 0 if there are too few books."""
    if len(frame) < 3 or frame["words"].nunique() == 1 or frame["richness"].nunique() == 1:
        return 0.0
    return float(stats.spearmanr(frame["words"], frame["richness"]).statistic)


def compare(one: Sequence[float], other: Sequence[float]) -> Comparison:
    """Whether two samples, such as lengths of sentences, have different means (Welch 1947)."""
    result = stats.ttest_ind(one, other, equal_var=False)
    pooled = np.sqrt((np.var(one, ddof=1) + np.var(other, ddof=1)) / 2)
    effect = (np.mean(one) - np.mean(other)) / pooled
    return Comparison(t=float(result.statistic), p=float(result.pvalue), cohens_d=float(effect))
