"""The list of words that the documentation does not use (docs/words.toml), as patterns."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from support import ROOT


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word to avoid, the pattern that finds it, and what to write."""

    word: str
    pattern: re.Pattern[str]
    write: str


def avoided() -> list[Word]:
    """All words of the list."""
    rows = tomllib.loads((ROOT / "docs" / "words.toml").read_text("utf-8"))["row"]
    return [
        Word(
            word=word,
            write=row["write"],
            pattern=re.compile(
                "".join(f"(?<!{re.escape(text)})" for text in row.get("not-after", ()))
                + rf"(?<![\w-]){re.escape(word)}(?![\w-])".replace(r"\ ", r"\s+")
                + "".join(f"(?!{re.escape(text)})" for text in row.get("not-before", ())),
                re.IGNORECASE,
            ),
        )
        for row in rows
        for word in row["words"]
    ]


def faults(text: str) -> list[str]:
    """What of a text is on the list: the line, the word and what to write."""
    found = []
    for word in avoided():
        for match in word.pattern.finditer(text):
            line = text[: match.start()].count("\n") + 1
            found.append(f"line {line} of the prose: {word.word!r}; write: {word.write}")
    return found
