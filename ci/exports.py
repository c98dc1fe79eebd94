"""Lists the BLAS and LAPACK routines that PyPI wheels import: the source of recipes/openblas/exports-*.txt.

    .venv/bin/python ci/exports.py --width lp64 WHEEL... > names.txt
    .venv/bin/python ci/exports.py --width ilp64 WHEEL... --check recipes/openblas/exports-ilp64.txt

An import counts where the OpenBLAS inside the wheel exports it. numpy's wheels have an OpenBLAS with 64-bit
integers (ILP64), scipy's one with 32-bit integers (LP64). The names are those of OpenBLAS's sources: numpy
from 2.0 on and scipy from 1.14 on add the prefix `scipy_`, all versions of numpy the suffix `64_`.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from spokeshave.build.elf import elf_files

WIDE = "64_"


def imported(wheel: Path) -> tuple[str, set[str]]:
    """The width of the wheel's OpenBLAS, and the routines of it that ext modules import, by plain name.

    Raises ValueError where the wheel has no OpenBLAS.
    """
    files = list(elf_files(wheel))
    libraries = [elf for elf in files if re.match(r"lib(scipy_)?openblas", Path(elf.name).name)]
    if not libraries:
        raise ValueError(f"{wheel.name} has no OpenBLAS")
    offered = {symbol for elf in libraries for symbol in elf.exports}
    used = {symbol for elf in files if elf not in libraries for symbol in elf.imports & offered}
    suffix = WIDE if all(symbol.endswith(WIDE) for symbol in used) else ""
    return "ilp64" if suffix else "lp64", {plain(symbol, suffix) for symbol in used}


def plain(symbol: str, suffix: str) -> str:
    """The name that OpenBLAS's sources give the routine."""
    return symbol.removeprefix("scipy_").removesuffix(suffix)


def listed(path: Path) -> set[str]:
    """The names of an export list."""
    return {line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines()} - {""}


def main() -> int:
    """Prints the names, or with --check says how a list differs; exits with 1 where it lacks a name."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("--width", choices=("lp64", "ilp64"), help="read only wheels whose OpenBLAS has it")
    parser.add_argument("--check", type=Path, help="compare with this list")
    options = parser.parse_args()
    found = [imported(wheel) for wheel in options.wheels]
    names = {name for width, used in found for name in used if options.width in (None, width)}
    if options.check is None:
        print("\n".join(sorted(names)))
        return 0
    known = listed(options.check)
    for word, difference in (("missing", names - known), ("not imported", known - names)):
        print(f"{word}: {len(difference)} {' '.join(sorted(difference)[:20])}")
    return 1 if names - known else 0


if __name__ == "__main__":
    sys.exit(main())
