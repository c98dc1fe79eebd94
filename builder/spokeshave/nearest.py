"""Known names that are similar to an unknown word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_MOST = 3
_BEHIND = 0.15  # difference to the best ratio of difflib, above which a name is not shown
_LISTED = 8  # names that a hint lists if none is near


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """At most three names, the nearest first; none if no name is near.

    A name that ends in the word after a dot or a slash is near: `linalg` for `scipy.linalg`.
    """
    names = sorted(known)
    ends = [name for name in names if word and name.endswith((f".{word}", f"/{word}"))]
    if ends:
        return sorted(ends, key=len)[:_MOST]
    close = get_close_matches(word, names, n=_MOST)
    ratios = [SequenceMatcher(None, name, word).ratio() for name in close]
    return [name for name, ratio in zip(close, ratios, strict=True) if ratio >= ratios[0] - _BEHIND]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for the next step: the nearest known names, or the first few of all."""
    names = sorted(known)
    if close := [repr(name) for name in nearest(word, names)]:
        return f"did you mean {' or '.join([', '.join(close[:-1]), close[-1]] if close[1:] else close)}?"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"known: {', '.join(names[:_LISTED]) or 'none'}{more}"
