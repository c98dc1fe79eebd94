"""Regions of Markdown files that a program writes: between `<!-- generated: NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

_REGION = re.compile(r"(?ms)^<!-- generated: (?P<name>[\w-]+) -->\n(?P<text>.*?)^<!-- end -->$")
Makers = Mapping[str, Callable[[], str]]


def names(text: str) -> list[str]:
    """The names of a text's regions, in their order."""
    return [match["name"] for match in _REGION.finditer(text)]


def without(text: str) -> str:
    """The text without what is in its regions."""
    return _REGION.sub("", text)


def filled(text: str, makers: Makers) -> str:
    """The text with each region written anew; raises KeyError for a name that no maker has."""

    def region(match: re.Match[str]) -> str:
        made = makers[match["name"]]().strip("\n")
        return f"<!-- generated: {match['name']} -->\n\n{made}\n\n<!-- end -->"

    return _REGION.sub(region, text)


def pages(root: Path) -> list[Path]:
    """The Markdown files of the project that may have regions."""
    docs = (page for page in (root / "docs").rglob("*.md") if "_build" not in page.parts)
    return [root / "README.md", *sorted(docs)]


def outdated(root: Path, makers: Makers) -> dict[Path, str]:
    """The pages whose text is not what the makers write, with the text that they should have."""
    found = {}
    for page in pages(root):
        old = page.read_text("utf-8")
        if (new := filled(old, makers)) != old:
            found[page] = new
    return found
