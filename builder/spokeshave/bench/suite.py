"""The folder of a suite's benchmark package, and a copy of it that may be written to."""

from __future__ import annotations

import shutil
from pathlib import Path

from spokeshave.errors import BenchError


def suite_package(suite: Path) -> Path:
    """The folder of the benchmark package: `suite` itself, or `benchmarks` in it as ASV has it."""
    for folder in (suite, suite / "benchmarks"):
        if (folder / "__init__.py").is_file():
            return folder.absolute()
    raise BenchError(
        f"{suite} has no benchmark package",
        next_step="name the folder with asv.conf.json, or the package inside it",
    )


def copied(suite: Path, home: Path) -> Path:
    """A copy of the suite's package: suites write caches into their folder, and both sides share it.

    Raises BenchError if there is none.
    """
    package = suite_package(suite)
    target = home / "suite" / package.name
    shutil.copytree(package, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target
