"""Lists the objects that no exported symbol reaches: the source of recipes/openblas/unreached.txt.

    .venv/bin/python ci/unreached.py TREE recipes/openblas/exports-{stack,control}.txt

TREE is the build directory of the source, patched and made with the recipe's variables and without a list of
unreached objects. The list has no objects of kernels, because the profile decides which of them are made,
and none that only x86 has.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spokeshave.inside.library import symbols_in
from spokeshave.inside.objects import object_names, reached, read_symbols

KERNELS = "kernel/"
X86_ALONE = "gemm3m"  # in names of objects that other architectures do not have


def main() -> int:
    """Prints the list."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tree", type=Path)
    parser.add_argument("exports", nargs="+", type=Path)
    options = parser.parse_args()
    symbols = read_symbols(options.tree, object_names(options.tree))
    exported = {name for path in options.exports for name in symbols_in(path.read_text("utf-8"))}
    if unknown := exported - set(symbols.definers()):
        print(f"no object defines {', '.join(sorted(unknown)[:10])}", file=sys.stderr)
        return 1
    left = set(symbols.defined) - reached(symbols, exported)
    print("\n".join(sorted(name for name in left if not name.startswith(KERNELS) and X86_ALONE not in name)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
