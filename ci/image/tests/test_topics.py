"""TF-IDF against a calculation by hand; topics and clusters against what the texts are about."""

from __future__ import annotations

import math

import pytest
from samples import TEXTS, THEME
from sklearn.feature_extraction.text import TfidfVectorizer

from bookgen.texts import stems
from bookgen.topics import clusters, keywords, topics


def test_weights_are_those_of_the_formula() -> None:
    """Smoothed idf = ln((1 + n) / (1 + df)) + 1, rows of length one."""
    weights = TfidfVectorizer(analyzer=stems).fit_transform(["boat wind boat", "wind tide"]).toarray()
    rare, common = math.log(3 / 2) + 1, math.log(3 / 3) + 1
    length = math.hypot(2 * rare, common)
    assert weights[0].tolist() == pytest.approx([2 * rare / length, 0.0, common / length])


def test_keywords_tell_what_a_text_is_about() -> None:
    found = keywords(["boat boat boat wind", "bread bread wind", "star comet star wind"], most=2)
    assert found == [("boat", "wind"), ("bread", "wind"), ("star", "comet")]


def test_texts_of_one_theme_are_in_one_cluster(texts: list[str]) -> None:
    assert clusters(texts, 3) == list(THEME.values())


def test_a_topic_holds_the_words_of_its_theme() -> None:
    sea, bread = "wave boat tide sail wind " * 6, "flour dough yeast oven loaf " * 9
    found = topics([sea, bread, sea, bread, bread], count=2, most=5)
    assert [set(topic.words) for topic in found] == [set(stems(bread)), set(stems(sea))]
    assert found[0].share == pytest.approx(3 / 5, abs=0.01)
    assert sum(topic.share for topic in found) == pytest.approx(1.0)


def test_shares_are_probabilities(texts: list[str]) -> None:
    found = topics(texts, count=3)
    assert len(found) == 3
    assert sum(topic.share for topic in found) == pytest.approx(1.0)
    assert [topic.share for topic in found] == sorted((topic.share for topic in found), reverse=True)
    known = set(stems(" ".join(TEXTS.values())))
    assert all(set(topic.words) <= known for topic in found)
