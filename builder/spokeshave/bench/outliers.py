"""Outliers: cases whose ratio is far from 1, and their re-measurement in new pairs of processes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from spokeshave.bench.budget import Budget
from spokeshave.bench.findings import FURTHER, Record
from spokeshave.bench.model import Case, Fault, Measured, Options, Visit
from spokeshave.bench.pair import Pair, measured_case
from spokeshave.bench.stats import FAR, combined_ratio, is_outlier


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """The options of the first pass, and which cases are re-measured how often with which options."""

    first: Options
    again: Options
    pairs: int
    far: Callable[[float], bool]


def method_of(options: Options) -> Method:
    """A sample re-measures outliers in either direction; an exhaustive comparison re-measures slow cases."""
    if options.exhaustive:
        quick = replace(
            options,
            rounds=2,
            sample_seconds=options.sample_seconds / 2,
            case_seconds=options.case_seconds / 4,
        )
        return Method(first=quick, again=options, pairs=FURTHER, far=lambda ratio: ratio > FAR)
    longer = replace(options, rounds=2 * options.rounds, case_seconds=2 * options.case_seconds)
    return Method(first=options, again=longer, pairs=2, far=is_outlier)


def outliers(records: Iterable[Record], far: Callable[[float], bool]) -> dict[Case, float]:
    """The measured cases with a far ratio, and that ratio, the farthest from 1 first."""
    visits: dict[Case, list[Visit]] = defaultdict(list)
    for record in records:
        if isinstance(record, Measured):
            visits[record.case].append(record.visit)
    ratios = {case: combined_ratio(taken) for case, taken in visits.items()}
    found = [case for case, ratio in ratios.items() if far(ratio)]
    found.sort(key=lambda case: (-abs(math.log(ratios[case])), case.label))
    return {case: ratios[case] for case in found}


def remeasured(
    pair: Pair, far: Mapping[Case, float], method: Method, budget: Budget
) -> Iterator[tuple[int, Measured | Fault]]:
    """Re-measures outliers, each time in new processes, until the budget is spent.

    A case that is much slower or much faster is re-measured once even beyond the budget, so that noise can be
    separated from a cause. This holds in both directions: otherwise noise would shift the mean to one side.
    """
    options = method.again
    for again in range(method.pairs):
        pair.close()
        for done, (case, ratio) in enumerate(far.items()):
            if budget.spent(1.0) and (again or 1 / FAR <= ratio <= FAR):
                return
            for record in measured_case(pair, case, options, rounds=options.rounds, turn=done + again):
                yield again * len(far) + done + 1, record
