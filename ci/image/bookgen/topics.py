"""What texts are about: their keywords, their topics, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import LatentDirichletAllocation, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from bookgen.texts import stems

_SEED = 7


@dataclass(frozen=True)
class FoundTopic:
    """A topic of a Dirichlet allocation: its strongest words, and its share of all texts."""

    words: tuple[str, ...]
    share: float


def keywords(texts: Sequence[str], most: int = 3) -> list[tuple[str, ...]]:
    """For each text the stems with the highest TF-IDF, ties in the order of the alphabet."""
    vectorizer = TfidfVectorizer(analyzer=stems)
    weights = vectorizer.fit_transform(texts).toarray()
    names = vectorizer.get_feature_names_out()
    return [tuple(str(names[i]) for i in np.lexsort((names, -row))[:most] if row[i] > 0) for row in weights]


def topics(texts: Sequence[str], count: int, most: int = 4) -> list[FoundTopic]:
    """Topics of the texts by latent Dirichlet allocation, the largest first."""
    vectorizer = CountVectorizer(analyzer=stems)
    counts = vectorizer.fit_transform(texts)
    model = LatentDirichletAllocation(n_components=count, random_state=_SEED, max_iter=30)
    shares = model.fit_transform(counts).mean(axis=0)
    names = vectorizer.get_feature_names_out()
    found = [
        FoundTopic(words=tuple(str(names[i]) for i in row.argsort()[::-1][:most]), share=float(share))
        for row, share in zip(model.components_, shares, strict=True)
    ]
    return sorted(found, key=lambda topic: -topic.share)


def clusters(texts: Sequence[str], count: int) -> list[int]:
    """A number of a cluster for each text: k-means in the space of their latent semantics.

    The first text is always in cluster 0, so that the numbers do not depend on chance.
    """
    weights = TfidfVectorizer(analyzer=stems).fit_transform(texts)
    dimensions = min(count, weights.shape[1] - 1, len(texts))
    space = make_pipeline(TruncatedSVD(dimensions, random_state=_SEED), Normalizer()).fit_transform(weights)
    labels = KMeans(count, n_init=10, random_state=_SEED).fit_predict(space)
    order = {label: number for number, label in enumerate(dict.fromkeys(labels.tolist()))}
    return [order[label] for label in labels.tolist()]
