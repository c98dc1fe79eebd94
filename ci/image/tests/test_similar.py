"""Cosines and sparse matrices, checked against dense arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from samples import TEXTS
from scipy import sparse

from bookgen.similar import Corpus


def test_the_cosine_of_two_words_in_one_of_two_texts() -> None:
    """Both texts have `wind`; the question's only word is `boat`, of which the first text is half."""
    found = Corpus(["boat wind", "wind tide"]).like("boats")
    rare = math.log(3 / 2) + 1
    assert [(one.place, pytest.approx(one.score)) for one in found] == [(0, rare / math.hypot(rare, 1.0))]


def test_a_text_is_most_like_itself(texts: list[str]) -> None:
    for place, text in enumerate(texts):
        first = Corpus(texts).like(text)[0]
        assert (first.place, first.score) == (place, pytest.approx(1.0))


def test_a_question_finds_its_theme(texts: list[str]) -> None:
    titles = list(TEXTS)
    assert {titles[one.place] for one in Corpus(texts).like("yeast and flour in an oven", 2)} == {
        "Bakery",
        "Sourdough",
    }
    assert Corpus(texts).like("zebra") == []


def test_resemblance_is_symmetric_and_sparse(texts: list[str]) -> None:
    corpus = Corpus(texts)
    resemblance = corpus.resemblance()
    assert isinstance(resemblance, sparse.csr_array)
    dense = resemblance.toarray()
    np.testing.assert_allclose(dense, dense.T, atol=1e-12)
    assert dense.diagonal().tolist() == [0.0] * len(texts)
    assert resemblance.nnz == np.count_nonzero(dense)
    assert 0.2 < corpus.density < 0.5


def test_groups_are_chains_of_alike_texts() -> None:
    corpus = Corpus(["boat tide", "tide wind", "wind sail", "bread oven", "oven"])
    assert corpus.groups(0.1) == [0, 0, 0, 1, 1]
    assert corpus.groups(0.99) == [0, 1, 2, 3, 4]
