"""The words of docs/words.toml: none of them in the prose of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pages import pages, prose
from support import ROOT
from words import avoided, faults

_LONGEST = 27  # words; the rule is about 25


def sentences(text: str) -> list[str]:
    """The sentences of a page's paragraphs, list items and cells; a link is one word."""
    words = re.sub(r"\[[^\]]*\]", "link", prose(text))
    parts = re.split(r"\n\s*\n|\n(?=\s*(?:[-*#|:]|\d+\.)\s?)|\|", words)
    return [one for part in parts for one in re.split(r"(?<=[.!?:;])\s+", " ".join(part.split()))]


_OTHERS = [ROOT / name for name in ("CHANGELOG.md", "SECURITY.md", ".github/PULL_REQUEST_TEMPLATE.md")]


@pytest.mark.parametrize("page", [*pages(), *_OTHERS], ids=lambda page: str(page.relative_to(ROOT)))
def test_page_uses_none_of_the_avoided_words(page: Path) -> None:
    assert faults(prose(page.read_text("utf-8"))) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_page_sentences_are_short(page: Path) -> None:
    found = sentences(page.read_text("utf-8"))
    assert [one for one in found if len(one.split()) > _LONGEST] == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "data").glob("*.toml")), ids=lambda path: path.name)
def test_data_of_tables_uses_none_of_the_avoided_words(path: Path) -> None:
    rows = re.findall(r'(?m)^(?!command\b)[\w-]+ = "(.*)"$', path.read_text("utf-8"))
    assert rows
    assert [fault for row in rows for fault in faults(prose(row))] == []


@pytest.mark.parametrize("word", avoided(), ids=lambda word: word.word)
def test_words_each_one_is_found_in_any_case(word: object) -> None:
    text = getattr(word, "word")  # noqa: B009  (the parameter is an object for pytest's ids)
    assert faults(f"A sentence. {text.capitalize()} here.")
    assert faults(f"one\nline {text.replace(' ', chr(10))} broken")


def test_words_longer_ones_and_standard_terms_are_not_found() -> None:
    for text in (
        "stockpile, placeholder, replace",
        "link-time optimization",
        "identical code folding",
        "measured",
    ):
        assert faults(text) == []


def test_words_code_links_and_generated_regions_are_not_read() -> None:
    page = (
        "`stock` [text](proof.md)\n\n```\nspokeshave train stock\n```\n\n   ```toml\n   stock = 1\n   ```\n\n"
        "<!-- generated: x -->\nstock\n<!-- end -->\n"
    )
    assert faults(prose(page)) == []
    assert faults(prose(page + "\nThe stock wheel.\n"))
    assert faults(prose("```{glossary}\nterm\n  The stock wheel.\n```\n"))
