"""Compiles what carries the integers of a BLAS once more with 64 bits, and renames it (ILP64).

The cut runs between folders. Objects in those that the recipe names take or return the library's integers
(in OpenBLAS `blasint`), so they exist twice. All others are shared: kernels, drivers, the thread pool,
memory. They count in 64 bits whatever the width is. OpenBLAS has one exception: `xerbla`
(driver/others/xerbla.c) takes `blasint *info`. Code of the second width passes a pointer to 64 bits, of which
it reads the low half. This is harmless on little-endian machines.

An object of the second width may need symbols of the second width or shared ones, and none of the first;
`_check_cut` checks that.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spokeshave.inside import make_tree
from spokeshave.inside.model import BuildPlan
from spokeshave.inside.objects import Symbols, object_names, reached, read_symbols
from spokeshave.inside.run import Command, run

_MARK = "_ilp64"  # suffix of the second width's symbols that are not exported: no name is defined twice


def copy_source(build: Path) -> Path:
    """A copy of the source next to it, made before make has written anything there."""
    return Path(shutil.copytree(build, build.with_name(f"{build.name}-ilp64"), symlinks=True))


def make_second(plan: BuildPlan, first: Path, second: Path, names: Iterable[str], *, jobs: int) -> Path:
    """Makes the second archive: what `names` reaches in the folders of the cut, with symbols renamed.

    `first` is the tree of the first width, made; `second` an untouched copy of its source. Raises
    RuntimeError where make or objcopy fails, or where an object needs a symbol of the first width.
    """
    table: Mapping[str, Any] = plan.compile.settings["library"]["ilp64"]
    symbols = read_symbols(first, object_names(first))
    cut = symbols.below(table["folders"])
    wanted = reached(cut, names)
    make_tree.put_placeholders(second, sorted(set(cut.defined) - wanted))
    make_tree.make(plan, second, table["targets"], table["variables"], jobs=jobs)
    archive = make_tree.the_archive(second, plan.compile.settings["library"]["archive"])
    mine = read_symbols(second, sorted(wanted))
    renamed = _new_names(mine, exported_as(table["symbol"], names))
    _check_cut(mine, cut, renamed)
    listing = second / "renamed.txt"
    listing.write_text("".join(f"{old} {new}\n" for old, new in sorted(renamed.items())), "utf-8")
    done = run(Command(argv=("objcopy", f"--redefine-syms={listing}", str(archive))))
    if not done.ok:
        raise RuntimeError(f"objcopy exited with {done.returncode}: {done.output[-500:]}")
    print(f"ILP64: {len(wanted)} objects, {len(renamed)} symbols", flush=True)
    return archive


def exported_as(pattern: str, names: Iterable[str]) -> dict[str, str]:
    """The names under which symbols are exported, by their own name."""
    return {name: pattern.replace("{}", name) for name in names}


def _new_names(mine: Symbols, exported: Mapping[str, str]) -> dict[str, str]:
    defined = {symbol for found in mine.defined.values() for symbol in found}
    return {symbol: exported.get(symbol, symbol + _MARK) for symbol in defined}


def _check_cut(mine: Symbols, cut: Symbols, renamed: Mapping[str, str]) -> None:
    """Raises RuntimeError where the second width needs a symbol that only the first one's objects define."""
    of_the_first = {symbol for found in cut.defined.values() for symbol in found}
    for name, needed in sorted(mine.needed.items()):
        if crossing := sorted((needed & of_the_first) - set(renamed)):
            raise RuntimeError(f"{name} with 64-bit integers calls {crossing[0]}, which has 32-bit ones")
