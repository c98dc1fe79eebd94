"""Module names are unique, so that a name says which file to open."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from spokeshave.own_code import package_root

ROOT = package_root()
TWICE = {
    "__init__": "what Python calls a package",
    "__main__": "what `python -m` runs",
    "model": "the nouns of a package",
}
SUITES = ROOT / "bench" / "suites"  # benchmarks in asv's layout, not modules of the tool


def by_name() -> dict[str, list[Path]]:
    """Module name to the files that have it."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(ROOT.rglob("*.py")):
        if SUITES not in path.parents:
            found[path.stem].append(path.relative_to(ROOT))
    return found


def test_module_names_are_unique() -> None:
    twins = {name: paths for name, paths in by_name().items() if len(paths) > 1 and name not in TWICE}
    assert twins == {}, "rename one to its content, or name it in TWICE with the reason"


def test_module_names_each_exception_occurs_twice() -> None:
    names = by_name()
    assert [name for name in TWICE if len(names[name]) < 2] == []
