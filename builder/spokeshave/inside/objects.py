"""The objects of a make tree: the symbols of each, and which objects a list of names reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.inside.run import Command, run

_AT_ONCE = 500  # objects that one nm reads: the command line has an end


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbols:
    """The global symbols that objects define and need, by the object's path below the tree."""

    defined: Mapping[str, frozenset[str]]
    needed: Mapping[str, frozenset[str]]

    def definers(self) -> Mapping[str, tuple[str, ...]]:
        """The objects that define a symbol, by symbol."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, symbols in self.defined.items():
            for symbol in symbols:
                found[symbol].append(name)
        return {symbol: tuple(names) for symbol, names in found.items()}

    def below(self, folders: Iterable[str]) -> Symbols:
        """The same of the objects in these folders alone."""
        heads = tuple(f"{folder}/" for folder in folders)
        return Symbols(
            defined={name: found for name, found in self.defined.items() if name.startswith(heads)},
            needed={name: found for name, found in self.needed.items() if name.startswith(heads)},
        )


def object_names(tree: Path) -> tuple[str, ...]:
    """The objects of a tree, by path below it, sorted."""
    return tuple(sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*.o")))


def read_symbols(tree: Path, names: Iterable[str]) -> Symbols:
    """Reads the symbol tables of objects; raises RuntimeError where nm cannot."""
    listed = tuple(names)
    defined: dict[str, set[str]] = {name: set() for name in listed}
    needed: dict[str, set[str]] = {name: set() for name in listed}
    for start in range(0, len(listed), _AT_ONCE):
        argv = ("nm", "-A", "--extern-only", "--format=posix", *listed[start : start + _AT_ONCE])
        done = run(Command(argv=argv, cwd=tree))
        if not done.ok:
            raise RuntimeError(f"nm exited with {done.returncode}: {done.output[-500:]}")
        for line in done.output.splitlines():
            name, mark, rest = line.partition(": ")
            if not mark or name not in defined:
                continue  # `nm: empty.o: no symbols`
            symbol, kind = rest.split()[:2]
            (needed if kind in "Uvw" else defined)[name].add(symbol)
    return Symbols(
        defined={name: frozenset(found) for name, found in defined.items()},
        needed={name: frozenset(found) for name, found in needed.items()},
    )


def reached(symbols: Symbols, names: Iterable[str]) -> frozenset[str]:
    """The objects that define one of the names, or what such an object needs, and so on."""
    definers = symbols.definers()
    waiting, seen = list(names), set[str]()
    found: set[str] = set()
    while waiting:
        symbol = waiting.pop()
        if symbol in seen:
            continue
        seen.add(symbol)
        for name in definers.get(symbol, ()):
            if name not in found:
                found.add(name)
                waiting.extend(symbols.needed[name])
    return frozenset(found)
