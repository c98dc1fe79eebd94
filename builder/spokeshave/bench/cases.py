"""Which cases to take and in which order, so that any early stop leaves an even sample."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from spokeshave.bench.model import Case, Catalogue, Side

_GOLDEN = (math.sqrt(5) - 1) / 2
Listing = Mapping[str, Any]  # a worker's answer to "list"


def _draw(*key: object) -> int:
    """A number that depends on the key alone."""
    return int.from_bytes(sha256(repr(key).encode()).digest()[:8], "big")


def spread(count: int, start: int) -> Iterator[int]:
    """All of range(count), each prefix spread over the whole.

    Steps by the golden ratio, rounded to a step without a common divisor with `count`: so every
    axis of a parameter grid changes from one index to the next, and none comes twice.
    """
    step = max(1, round(count * _GOLDEN))
    while math.gcd(step, count) != 1:
        step += 1
    return ((start + k * step) % count for k in range(count))


def _combinations(listing: Listing) -> dict[str, dict[tuple[str, ...], int]]:
    return {
        entry["name"]: {params: index for index, params in enumerate(itertools.product(*entry["params"]))}
        for entry in listing["benchmarks"]
    }


def in_passes(functions: Sequence[Sequence[Case]], seed: int) -> Iterator[Case]:
    """One case of every function, then a second one of every function that has it, and so on.

    Within a pass the modules come in an order drawn from the seed, so that a stop in its middle
    does not always fall on the same ones.
    """
    waiting = [
        (
            cases[0].benchmark,
            [cases[i] for i in spread(len(cases), _draw(seed, cases[0].benchmark))],
        )
        for cases in functions
        if cases
    ]
    for turn in itertools.count():
        waiting = [(name, cases) for name, cases in waiting if len(cases) > turn]
        if not waiting:
            return
        waiting.sort(key=lambda item: (_draw(seed, turn, item[0].split(".")[0]), item[0]))
        yield from (cases[turn] for _, cases in waiting)


def catalogue(
    ours: Listing, stock: Listing, *, seed: int = 0, pattern: str = "", limit: int | None = None
) -> Catalogue:
    """Pairs what both sides list, by names and written parameters, and puts it in order."""
    mine, theirs = _combinations(ours), _combinations(stock)
    names = {entry["name"]: tuple(entry["names"]) for entry in stock["benchmarks"]}
    labels: dict[Side, set[str]] = {"ours": set(), "stock": set()}
    functions, filtered = [], 0
    for name in sorted(mine | theirs):
        if not re.search(pattern, name):
            filtered += 1
            continue
        here, there = mine.get(name, {}), theirs.get(name, {})
        labels["ours"] |= {Case(benchmark=name, params=p).label for p in here if p not in there}
        labels["stock"] |= {Case(benchmark=name, params=p).label for p in there if p not in here}
        functions.append(
            [
                Case(benchmark=name, params=p, ours_index=here[p], stock_index=index, names=names[name])
                for p, index in there.items()
                if p in here
            ]
        )
    return Catalogue(
        cases=tuple(itertools.islice(in_passes(functions, seed), limit)),
        functions=sum(1 for cases in functions if cases),
        only_ours=tuple(sorted(labels["ours"])),
        only_stock=tuple(sorted(labels["stock"])),
        broken={"ours": dict(ours["broken"]), "stock": dict(stock["broken"])},
        other_types=len(stock["other"]),
        filtered=filtered,
    )
