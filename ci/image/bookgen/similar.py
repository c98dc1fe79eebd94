"""Which texts are like a question: cosines of sparse vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from bookgen.texts import stems


@dataclass(frozen=True)
class Neighbour:
    """A text by its index in the corpus, and its cosine."""

    place: int
    score: float


class Corpus:
    """Texts as rows of a sparse matrix of TF-IDF weights."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectorizer = TfidfVectorizer(analyzer=stems)
        self._weights = sparse.csr_array(self._vectorizer.fit_transform(texts))

    @property
    def density(self) -> float:
        """The share of the matrix that is not zero."""
        rows, columns = self._weights.shape
        return float(self._weights.nnz / (rows * columns))

    def like(self, question: str, most: int = 3) -> list[Neighbour]:
        """The texts that have a word in common with the question, the most alike first."""
        asked = self._vectorizer.transform([question])
        cosines = cosine_similarity(asked, self._weights).ravel()
        order = np.argsort(-cosines, kind="stable")[:most]
        return [Neighbour(place=int(i), score=float(cosines[i])) for i in order if cosines[i] > 0]

    def resemblance(self) -> sparse.csr_array:
        """The cosine of each text to each other one, sparse, without a text to itself."""
        product = self._weights @ self._weights.T
        product.setdiag(0)
        product.eliminate_zeros()
        return sparse.csr_array(product)

    def groups(self, least: float) -> list[int]:
        """For each text the number of its group: chains of texts whose cosine is at least `least`."""
        resemblance = self.resemblance()
        resemblance.data[resemblance.data < least] = 0
        resemblance.eliminate_zeros()
        _, labels = sparse.csgraph.connected_components(resemblance, directed=False)
        return [int(label) for label in labels]
