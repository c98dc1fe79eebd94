"""Texts as pages: hyphens for narrow columns, coloured source code, and Markdown through pandoc."""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache

import pyphen
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

SOFT_HYPHEN = "\N{SOFT HYPHEN}"
_WORD = re.compile(r"[^\W\d_]{5,}")
_PANDOC_SECONDS = 60.0


class NoSuchLanguage(ValueError):
    """A language that cannot be hyphenated, or coloured."""


class PandocFailed(RuntimeError):
    """A document that pandoc did not convert; says what pandoc said."""


@lru_cache(maxsize=8)
def _hyphenator(language: str) -> pyphen.Pyphen:
    known = pyphen.language_fallback(language)
    if known is None:
        raise NoSuchLanguage(f"no hyphens are known for the language {language!r}")
    return pyphen.Pyphen(lang=known)


def hyphenate(text: str, language: str = "en", hyphen: str = SOFT_HYPHEN) -> str:
    """The text with hyphens where its words may be divided; raises NoSuchLanguage."""
    hyphenator = _hyphenator(language)
    return _WORD.sub(lambda found: str(hyphenator.inserted(found[0], hyphen)), text)


def colour(code: str, language: str) -> str:
    """Source code as HTML with a class for each kind of word; raises NoSuchLanguage."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound as fault:
        raise NoSuchLanguage(f"no colours are known for the language {language!r}") from fault
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


async def convert(text: str, source: str = "markdown", target: str = "html") -> str:
    """A document in another format of pandoc's; raises PandocFailed."""
    process = await asyncio.create_subprocess_exec(
        *("pandoc", "--sandbox", "--from", source, "--to", target),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(text.encode()), _PANDOC_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise PandocFailed(err.decode().strip())
    return out.decode()
