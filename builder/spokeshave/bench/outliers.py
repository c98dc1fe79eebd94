"""Outliers: cases whose ratio is far from 1, and their re-measurement in new pairs of processes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from spokeshave.bench.budget import Budget
from spokeshave.bench.findings import Record
from spokeshave.bench.model import Case, Fault, Measured, Options, Visit
from spokeshave.bench.pair import Pair, measured_case
from spokeshave.bench.stats import combined_ratio, is_outlier

FAR = 1.15  # a case that is so much slower or faster is re-measured whatever the budget
AGAIN = 2  # further pairs of processes for each outlier, with twice the rounds


def outliers(records: Iterable[Record]) -> dict[Case, float]:
    """The measured cases that are outliers, with their ratios, the farthest from 1 first."""
    visits: dict[Case, list[Visit]] = defaultdict(list)
    for record in records:
        if isinstance(record, Measured):
            visits[record.case].append(record.visit)
    ratios = {case: combined_ratio(taken) for case, taken in visits.items()}
    far = [case for case, ratio in ratios.items() if is_outlier(ratio)]
    far.sort(key=lambda case: (-abs(math.log(ratios[case])), case.label))
    return {case: ratios[case] for case in far}


def remeasured(
    pair: Pair, far: Mapping[Case, float], options: Options, budget: Budget
) -> Iterator[tuple[int, Measured | Fault]]:
    """Re-measures outliers, each time in new processes, until the budget is spent.

    A case that is much slower or much faster is re-measured once even beyond the budget, so that noise can be
    separated from a cause. This holds in both directions: otherwise noise would shift the mean to one side.
    """
    longer = replace(options, case_seconds=2 * options.case_seconds)
    for again in range(AGAIN):
        pair.close()
        for done, (case, ratio) in enumerate(far.items()):
            if budget.spent(1.0) and (again or 1 / FAR <= ratio <= FAR):
                return
            for record in measured_case(pair, case, longer, rounds=2 * options.rounds, turn=done + again):
                yield again * len(far) + done + 1, record
