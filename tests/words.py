"""The list of words that we do not use (docs/words.toml), as patterns, and what of a text is on it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from support import ROOT


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word to avoid, the pattern that finds it, and what to write."""

    word: str
    pattern: re.Pattern[str]
    write: str


@cache
def _list() -> dict[str, Any]:
    return tomllib.loads((ROOT / "docs" / "words.toml").read_text("utf-8"))


def _pattern(word: str) -> str:
    """Finds a word whole, also where a line breaks it."""
    return rf"(?<![\w-]){re.escape(word)}(?![\w-])".replace(r"\ ", r"\s+")


@cache
def avoided() -> tuple[Word, ...]:
    """All words of the list."""
    return tuple(
        Word(
            word=word,
            write=row["write"],
            pattern=re.compile(
                "".join(f"(?<!{re.escape(text)})" for text in row.get("not-after", ()))
                + _pattern(word)
                + "".join(f"(?!{re.escape(text)})" for text in row.get("not-before", ())),
                re.IGNORECASE,
            ),
        )
        for row in _list()["row"]
        for word in row["words"]
    )


@cache
def allowed() -> dict[str, re.Pattern[str]]:
    """Phrases with a word of the list that are terms of others, with what finds them."""
    return {
        row["phrase"]: re.compile(_pattern(row["phrase"]), re.IGNORECASE)
        for row in _list().get("allowed", ())
    }


def faults(text: str) -> list[str]:
    """What of a text is on the list: the line, the word and what to write."""
    for pattern in allowed().values():
        text = pattern.sub(lambda match: re.sub(r"\S+", "term", match[0]), text)
    found = []
    for word in avoided():
        for match in word.pattern.finditer(text):
            line = text[: match.start()].count("\n") + 1
            found.append(f"line {line} of the prose: {word.word!r}; write: {word.write}")
    return found
