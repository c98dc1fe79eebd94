"""Writes the bytes saved into the rules: only the numbers change, comments and order are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ROW = re.compile(r"^\[\[(rules|components|locales)\]\]$")
_NAME = re.compile(r'^name = "([^"]+)"$')


def without_draft(text: str) -> str:
    """The text of a rules file without its mark as a draft."""
    return "".join(line for line in text.splitlines(keepends=True) if line != "draft = true\n")


def with_sizes(text: str, saved: Mapping[str, int]) -> str:
    """The text of a rules file with `saved` of each row set; raises KeyError for a row without a size."""
    lines, name, inside = [], "", False
    for line in text.splitlines():
        if line.startswith("["):
            inside = bool(_ROW.match(line)) or (inside and line.startswith("[[rules.minify"))
        if inside and (match := _NAME.match(line)):
            name = match[1]
        lines.append(f"saved = {saved[name]:_}" if inside and line.startswith("saved = ") else line)
    return "\n".join(lines) + "\n"
