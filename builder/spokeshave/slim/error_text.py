"""Long error messages as one short line."""

from __future__ import annotations

import re

_CAUSE = re.compile(r"\berror(?: was)?: *\S", re.IGNORECASE)
_LENGTH = 200  # characters of a line


def one_line(text: str) -> str:
    """The last line that names an error, after the kind of the error; else the first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    causes = [line for line in lines[1:] if _CAUSE.search(line)]
    found = (
        f"{_kind(lines[0])} {causes[-1]}" if causes else " ".join(lines[: 2 if lines[0][-1] == ":" else 1])
    )
    return found if len(found) <= _LENGTH else f"{found[: _LENGTH - 1]}…"


def _kind(line: str) -> str:
    """`import demo: ImportError:` of `import demo: ImportError: a long story`."""
    found = re.match(r"(?:.*?: )?\w+(?:Error|Exception):", line)
    return found.group() if found else line
