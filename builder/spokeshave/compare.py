"""Outcome by outcome: our wheel's tests beside the stock wheel's. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

Outcomes = Mapping[str, tuple[str, str]]
"""Node id to outcome and reason."""

GOOD = frozenset({"passed", "xfailed", "xpassed"})
_PASSED = frozenset({"passed", "xpassed"})  # an expected failure is not one of them
BAD = frozenset({"failed", "error"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """A test that passes on stock and not on ours, or fails on ours and not on stock."""

    test: str
    stock: str
    ours: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The verdict: what was lost, and the counts behind it.

    `skipped` maps a recipe's reason to the stock-passing tests that it left out, `removed` a component
    that the profile takes out to the stock-passing tests that went with it; `skip_reasons` counts the
    skips that the tests themselves made on ours; `both_failed` are the tests that fail on stock too.
    """

    ours: Mapping[str, int]
    stock: Mapping[str, int]
    losses: tuple[Loss, ...]
    gains: tuple[str, ...]
    both_failed: tuple[str, ...]
    skipped: Mapping[str, tuple[str, ...]]
    removed: Mapping[str, tuple[str, ...]]
    skip_reasons: Mapping[str, int]
    unmatched_skips: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.losses and not self.unmatched_skips


def as_good(ours: str, stock: str) -> bool:
    """Whether an outcome on ours is as good as stock's; an expected failure is worse than a pass."""
    return ours in (_PASSED if stock in _PASSED else GOOD)


def compare(
    ours: Outcomes, stock: Outcomes, skips: Mapping[str, str], removed: Mapping[str, str] | None = None
) -> Comparison:
    """Judges our outcomes by stock's.

    `skips` maps the start of a node id to the recipe's reason, `removed` to the component that is not in
    the wheel; those tests were not run on ours. A test
    that passes on stock must pass on ours; one that is not there at all is lost too, and so is one that
    fails on ours where stock skips it or does not have it. A skip, or a removed test outside a folder, that
    fits no test is reported.
    """
    removed = removed or {}
    skipped: dict[str, list[str]] = {}
    gone: dict[str, list[str]] = {}
    losses, gains, both_failed = [], [], []
    unmatched = set(skips) | {start for start in removed if not start.endswith("/")}
    for test in sorted({*stock, *ours}):
        outcome, _ = stock.get(test, ("not run", ""))
        found, reason = ours.get(test, ("not run", "the test was not collected"))
        if found == "not run" and (rules := [s for s in (*removed, *skips) if test.startswith(s)]):
            unmatched.difference_update(rules)
            if outcome in GOOD:
                group, named = (gone, removed) if rules[0] in removed else (skipped, skips)
                group.setdefault(named[rules[0]], []).append(test)
        elif outcome in GOOD and not as_good(found, outcome):
            losses.append(Loss(test=test, stock=outcome, ours=found, reason=reason))
        elif outcome not in GOOD and found in GOOD:
            gains.append(test)
        elif found in BAD:
            if outcome in BAD:
                both_failed.append(test)
            else:
                losses.append(Loss(test=test, stock=outcome, ours=found, reason=reason))
    reasons = Counter(reason for outcome, reason in ours.values() if outcome == "skipped")
    return Comparison(
        ours=dict(Counter(outcome for outcome, _ in ours.values())),
        stock=dict(Counter(outcome for outcome, _ in stock.values())),
        losses=tuple(losses),
        gains=tuple(gains),
        both_failed=tuple(both_failed),
        skipped={reason: tuple(tests) for reason, tests in skipped.items()},
        removed={part: tuple(tests) for part, tests in gone.items()},
        skip_reasons=dict(reasons.most_common()),
        unmatched_skips=tuple(sorted(unmatched)),
    )
