"""White space between the tokens of JSON files: data, numbers and the order of keys are unchanged."""

from __future__ import annotations

import json
import re
from pathlib import Path

from spokeshave.inside.levers.lever import Shaved, Tree

JSON = ("*.json", "*.geojson", "*.topojson")
# A string, as it is, or the white space of RFC 8259.
_STRING_OR_SPACE = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


def shave_json(tree: Tree, files: list[Path]) -> Shaved:
    """Rewrites the files of `files` that get smaller; the note counts those that are no JSON."""
    saved = changed = odd = 0
    for path in files:
        before = path.read_bytes()
        after = without_space(before)
        odd += after is None
        if after is not None and len(after) < len(before):
            path.write_bytes(after)
            saved, changed = saved + len(before) - len(after), changed + 1
    return Shaved(
        saved=saved, files=changed, note=f"left as they were, as they are no JSON: {odd}" if odd else ""
    )


def without_space(data: bytes) -> bytes | None:
    """The text without white space between its tokens; None where it is no JSON in UTF-8 or not the same."""
    after = _STRING_OR_SPACE.sub(rb"\1", data)
    try:
        same = _read(after) == _read(data)
    except (ValueError, RecursionError):
        return None
    return after if same else None


def _read(data: bytes) -> object:
    """The data with repeated keys, the order of keys, and numbers as they are written."""
    text = data.decode("utf-8")
    return json.loads(
        text, object_pairs_hook=tuple, parse_float=_number, parse_int=_number, parse_constant=_number
    )


def _number(text: str) -> tuple[str]:
    """A number, unlike the string of the same text."""
    return (text,)
