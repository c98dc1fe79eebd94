"""Lists the BLAS and LAPACK routines that PyPI wheels import: the source of exports-stack.txt.

    .venv/bin/python ci/exports.py WHEEL... > names.txt
    .venv/bin/python ci/exports.py WHEEL... --check recipes/openblas/exports-stack.txt

The PyPI wheels of numpy and scipy import them as `scipy_<name>` (LP64) or `scipy_<name>64_` (ILP64).
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from spokeshave.build.elf import elf_files

STOCK = re.compile(r"^scipy_(?P<name>.+?)(?:64_)?$")


def imported(wheels: list[Path]) -> set[str]:
    """The routines that the wheels' extension modules import, without prefix and suffix."""
    symbols = {s for wheel in wheels for elf in elf_files(wheel) for s in elf.imports}
    return {found["name"] for symbol in symbols if (found := STOCK.match(symbol))}


def listed(path: Path) -> set[str]:
    """The names of an export list."""
    return {line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines()} - {""}


def main() -> int:
    """Prints the names, or with --check says how a list differs; exits with 1 where it lacks a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("--check", type=Path)
    options = parser.parse_args()
    names = imported(options.wheels)
    if options.check is None:
        print("\n".join(sorted(names)))
        return 0
    known = listed(options.check)
    for word, difference in (("missing", names - known), ("not imported", known - names)):
        print(f"{word}: {len(difference)} {' '.join(sorted(difference)[:20])}")
    return 1 if names - known else 0


if __name__ == "__main__":
    sys.exit(main())
