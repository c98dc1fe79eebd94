"""Which patterns of a plan match nothing, found where the names are and reported in a line of output.

Runs inside the build container too, after the compile: `python -m spokeshave.inside.unmatched KIT`.
The host reads the line (`read`), and knows to which rows of
the recipe the patterns belong (recipes/patterns.py).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from spokeshave.inside.model import BuildPlan, plan_from_json

SOURCES = "sources"  # in the build context: the path of the source of each compile, by launcher.sh.in
_MARK = "spokeshave: patterns that match nothing: "
_CONFIGURE = "/meson-private/"  # what meson compiles to learn of the compiler is no source of the package
WHEEL_GLOBS = ("match", "keep", "add-newdocs")  # options of levers that are matched with files of the wheel


def source_patterns(plan: BuildPlan) -> list[str]:
    """The patterns that the launchers match with sources; those of PGO profiles, many in a row, are ours."""
    rows = (*plan.compile.levels, *plan.compile.fixes)
    return list(dict.fromkeys(row.match for row in rows if "|" not in row.match))


def wheel_patterns(plan: BuildPlan) -> list[str]:
    """The patterns that are matched with the files of the compiled wheel."""
    globs = [glob for lever in plan.levers for key in WHEEL_GLOBS for glob in lever.options.get(key, ())]
    globs += [glob for part in plan.removed for glob in part.files]
    return list(dict.fromkeys(globs))


def unmatched(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """The patterns that no name fits; `*` also crosses slashes, as in a shell's `case`."""
    known = sorted(set(names))
    return [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in known)]


def of_kit(kit: Path) -> list[str]:
    """The patterns of a build context's plan that fitted no source for which its compilers were called."""
    plan = plan_from_json(json.loads((kit / "plan.json").read_text("utf-8")))
    seen = kit / SOURCES
    names = seen.read_text("utf-8").splitlines() if seen.is_file() else []
    return unmatched(source_patterns(plan), (name for name in names if _CONFIGURE not in name))


def line(patterns: Iterable[str]) -> str:
    """The line of output that reports patterns."""
    return _MARK + json.dumps(list(patterns))


def read(output: str) -> tuple[str, ...]:
    """The patterns that the lines of a step's output report."""
    texts = (text.partition(_MARK)[2] for text in output.splitlines() if _MARK in text)
    return tuple(pattern for text in texts for pattern in json.loads(text))


if __name__ == "__main__":
    print(line(of_kit(Path(sys.argv[1]))), flush=True)
