"""The one table of results in README.md: size, tests and speed of the profile `lean`, by package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docgen.figures import load, pair
from docgen.markdown import table
from docgen.records import Book, passed


def results(book: Book, folder: Path) -> str:
    """Sizes and speed from docs/data, tests from the records."""
    sizes, speed = load(folder, "sizes"), load(folder, "speed")
    tests = {
        one["recipe"]: passed(one)
        for one in book.records()
        if one["profile"] == "lean" and one["outcomes"]["stock"]
    }
    times: dict[str, str] = {}
    for suite in speed["suite"]:
        times.setdefault(suite["package"], f"{suite['mean']:.3f}")
    rows = [
        [one["name"], *pair(one), *tests.get(one["name"], ("", "")), times.get(one["name"], "")]
        for one in sizes["part"]
    ]
    rows += [[name, *pair(sizes["total"][key]), "", "", ""] for name, key in _SUMS.items()]
    header = ["profile `lean`", "MB unpacked", "PyPI", "ratio", "tests passed", "PyPI", "time, ours / PyPI"]
    return table(header, rows, numbers=len(header) - 1) + _sources(sizes, speed)


_SUMS = {"all": "unpacked", "all, with bytecode": "installed", "wheel files": "wheels"}


def _sources(sizes: dict[str, Any], speed: dict[str, Any]) -> str:
    return (
        f"\n\nSources: `{sizes['command']}` ({sizes['date']}); `recipes/proofs/lean`; `spokeshave bench`"
        f" ({speed['date']}; geometric mean of a benchmark suite with one thread)."
    )
