"""The Markdown pages of the project, and what of them is prose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from docgen.regions import without
from support import ROOT

_FENCE = re.compile(r"(?ms)^([ ]*)(?P<fence>`{3,})(?P<kind>[^\n]*)\n(?P<text>.*?)^\1(?P=fence)[ ]*$")
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\]\((?P<to>[^)\s]+)\)")


def pages() -> list[Path]:
    """README, CONTRIBUTING, recipes/README and all pages of docs/."""
    docs = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in page.parts]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "recipes" / "README.md", *docs]


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block: what it is, and its text."""

    kind: str
    text: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page."""
    return [Block(kind=match["kind"], text=match["text"]) for match in _FENCE.finditer(text)]


def prose(text: str) -> str:
    """What a reader reads as English: no code, targets of links or generated regions; but glossaries."""
    words = _FENCE.sub(lambda match: match["text"] if match["kind"] == "{glossary}" else "", without(text))
    return _CODE.sub("`code`", _LINK.sub("]", words))


def links(text: str) -> list[str]:
    """The targets of a page's links."""
    return [match["to"] for match in _LINK.finditer(_FENCE.sub("", text))]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST name them."""
    titles = re.findall(r"(?m)^#+ (.*)$", _FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
