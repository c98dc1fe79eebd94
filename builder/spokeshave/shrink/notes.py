"""The notes of the levers on all wheels: what they left, and what would save more, grouped by reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_LEAST = 100_000  # bytes that a reason keeps, below which it is not shown
_SHOWN = 3  # packages of a line


class Note(NamedTuple):
    """A reason of a lever, the packages that it concerns, and how many files and bytes it keeps.

    `size` is in bytes, unpacked. Both are 0 where a note is about none.
    """

    lever: str
    text: str
    packages: tuple[str, ...]
    files: int
    size: int

    @property
    def line(self) -> str:
        """For example `numpy, scipy: 2 files are kept (1.20 MB)`."""
        names = ", ".join(self.packages[:_SHOWN])
        more = f" and {len(self.packages) - _SHOWN} more" if len(self.packages) > _SHOWN else ""
        count = f"{self.files} " if self.files else ""
        return f"{names}{more}: {count}{self.text}" + (f" ({self.size / 1e6:.2f} MB)" if self.size else "")


def notes_of(packages: Iterable[Mapping[str, Any]]) -> tuple[Note, ...]:
    """The notes of the rows of `results.to_json`, largest first.

    Notes of levers that saved something, and those about few bytes, are in the rows alone.
    """
    found: dict[tuple[str, str], Note] = {}
    for row in packages:
        for lever in row.get("levers", ()):
            for text, files, size in _rows(lever):
                key = (lever["name"], text)
                old = found.get(key, Note(*key, packages=(), files=0, size=0))
                names = tuple(dict.fromkeys((*old.packages, row["package"])))
                found[key] = Note(*key, packages=names, files=old.files + files, size=old.size + size)
    shown = (one for one in found.values() if not one.size or one.size >= _LEAST)
    return tuple(sorted(shown, key=lambda one: (-one.size, one.lever, one.text)))


def _rows(lever: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    left: Sequence[Mapping[str, Any]] = lever["left"]
    yield from ((one["reason"], 1, one["size"]) for one in left)
    if lever["saved"] <= 0:
        plain = len(lever["notes"]) - len({one["reason"] for one in left})  # the rest repeats `left`
        yield from ((text, 0, 0) for text in lever["notes"][:plain])
