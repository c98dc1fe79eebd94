"""Numbers from samples: pure functions. A ratio above 1 means that ours is slower than the other side."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from spokeshave.bench.model import Visit

_PER_ROUND = 2  # samples of either side in A B B A

OUTLIER = 1.10
FAR = 1.15  # a case that is so much slower or faster is re-measured even beyond the time budget


def is_outlier(ratio: float) -> bool:
    """Whether a case is so much slower or faster that it is re-measured."""
    return not 0.9 <= ratio <= OUTLIER


def centre(samples: Sequence[float]) -> float:
    """The seconds of a call with little disturbance: the mean of the lower half of the samples.

    Disturbance only ever adds time. Chosen from thirteen estimators by the root mean square
    of the ratios' logarithms, one visit a case, in A/A runs of numpy's suite: on a quiet machine, and
    on a busy one with waiting taken off, this 0.034 and 0.034 (the lower 60 or 80 % do as well), the
    lowest sample 0.036 and 0.036, the lower quartile 0.047 and 0.041, the median 0.061 and 0.043. On
    a busy machine whose kernel does not report the waiting, the lowest sample is better: 0.037, this 0.046.
    """
    return statistics.fmean(sorted(samples)[: max(1, len(samples) // 2)])


def visit_ratio(visit: Visit) -> float:
    """The ratio of one visit, from the centre of either side."""
    return centre(visit.ours) / centre(visit.stock)


def combined_ratio(visits: Iterable[Visit]) -> float:
    """The median of the visits' ratios, in logarithms."""
    return math.exp(statistics.median(math.log(visit_ratio(visit)) for visit in visits))


def lasting_ratio(visits: Sequence[Visit]) -> float | None:
    """The ratio that every pair of processes reaches: the one nearest to 1, or 1 if the pairs disagree.

    None after one visit alone, which cannot separate noise from a cause.
    """
    if len(visits) < 2:
        return None
    ratios = [visit_ratio(visit) for visit in visits]
    return max(min(ratios), min(max(ratios), 1.0))


def round_ratios(visit: Visit) -> tuple[float, ...]:
    """The ratio of each round A B B A by itself, for the spread within a visit."""
    pairs = zip(visit.ours, visit.stock, strict=True)
    rounds = zip(*[iter(pairs)] * _PER_ROUND, strict=False)
    return tuple(min(a for a, _ in r) / min(b for _, b in r) for r in rounds)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile, by linear interpolation; one value is all three."""
    if len(values) < 2:
        return (values[0],) * 3
    low, mid, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, mid, high


def geometric_mean(ratios: Iterable[float]) -> float:
    """exp of the mean logarithm."""
    return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """Statistics of all cases' ratios: `mean` is geometric, `mean_by_function` counts each function once.

    `over` and `under` map a bound to the share of cases beyond it, between 0 and 1.
    """

    count: int
    functions: int
    mean: float
    mean_by_function: float
    quartiles: tuple[float, float, float]
    over: Mapping[float, float]
    under: Mapping[float, float]


def summarise(ratios: Sequence[tuple[str, float]]) -> Summary | None:
    """Summary of (function, ratio) pairs, one a case; None where there are none."""
    if not ratios:
        return None
    values = [ratio for _, ratio in ratios]
    functions: dict[str, list[float]] = defaultdict(list)
    for name, ratio in ratios:
        functions[name].append(ratio)
    return Summary(
        count=len(values),
        functions=len(functions),
        mean=geometric_mean(values),
        mean_by_function=geometric_mean(geometric_mean(group) for group in functions.values()),
        quartiles=quartiles(values),
        over={b: sum(v > b for v in values) / len(values) for b in (1.10, 1.15, 1.5)},
        under={b: sum(v < b for v in values) / len(values) for b in (0.9, 0.67)},
    )


def duration(seconds: float) -> str:
    """Seconds as text with three digits, for example `1.25 ms`."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
