"""Tokenising and stemming, with results found by hand."""

from __future__ import annotations

from bookgen import texts


def test_words_are_those_of_the_treebank_without_marks() -> None:
    assert texts.words("Don't stop: 3 ships, two sails!") == ["do", "stop", "ships", "two", "sails"]


def test_a_sentence_does_not_end_after_a_number() -> None:
    found = texts.sentences("The mast is 12.5 metres high. It bends. Does it break? No.")
    assert found == ["The mast is 12.5 metres high.", "It bends.", "Does it break?", "No."]


def test_stems_leave_out_words_without_a_meaning() -> None:
    assert texts.stems("The sailors were sailing and the sails sailed") == ["sailor", "sail", "sail", "sail"]


def test_stems_follow_the_language() -> None:
    assert texts.stems("Häuser Hauses", "de") == ["haus", "haus"]
    assert texts.stems("talot talon", "fi") == ["talot", "talon"]


def test_frequencies_fall() -> None:
    assert texts.frequencies("to be or not to be to") == [3, 2, 1, 1]


def test_pairs_do_not_reach_across_sentences() -> None:
    text = "Warm bread smells. Warm bread cools. Bread smells of yeast."
    assert texts.pairs(text) == [("warm", "bread"), ("bread", "smells")]
