"""Our wheel's tests compared with the PyPI wheel's, outcome by outcome. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from spokeshave.inside.stub_message import components_in
from spokeshave.verify.node_ids import aligned

Outcomes = Mapping[str, tuple[str, str]]
"""Node id to outcome and reason."""

GOOD = frozenset({"passed", "xfailed", "xpassed"})
_PASSED = frozenset({"passed", "xpassed"})  # an expected failure is not one of them
BAD = frozenset({"failed", "error"})
NOT_RUN = "not run"
_NAMED = 10  # names of one owner in a fault; a removed base class can take hundreds along


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """A test that passes with the PyPI wheel and not with ours, or fails with ours alone."""

    test: str
    stock: str
    ours: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The verdict: the lost tests, and the counts behind it.

    `skipped` maps a recipe's reason to the tests that it skips, `removed` a removed component to the tests
    that are removed with it: not run, or failing with the message of its stub (in `ours`: removed).
    Both list only tests that pass with the PyPI wheel. `skip_reasons` counts the skips that the tests
    themselves made with ours; `both_failed` are the tests that fail with both wheels.
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
    """Whether our outcome is as good as the PyPI wheel's; an expected failure is worse than a pass."""
    return ours in (_PASSED if stock in _PASSED else GOOD)


def missed(ours: Outcomes, parts: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Tests, and files that could not be collected, that ran into a removed component's stub: to its name.

    `parts` maps the distribution and the component of every part that is not in the wheels to its name
    here. The message itself is `inside.stub_message`.
    """
    found = {}
    for test, (outcome, reason) in ours.items():
        part = None if outcome in GOOD else stubbed_part(reason, parts)
        if part is not None:
            found[test] = part
    return found


def stubbed_part(text: str, parts: Mapping[tuple[str, str], str]) -> str | None:
    """The name here of the component whose stub has the last message in a text; None where none has."""
    said = components_in(text)
    return parts.get(said[-1]) if said else None


def name_faults(
    lacking: Mapping[str, Mapping[str, str]],
    parts: Mapping[tuple[str, str], str],
    offered: Mapping[str, Any] | None = None,
    gone: Collection[str] = (),
) -> list[str]:
    """Names that dir() lists of a public module or class of PyPI's and not of ours; each maps to its answer.

    A name is no fault if it answers with the stub of a component that is not in the wheels (`parts`). It is
    none either if PyPI's wheel defines it or its owner in a module of such a component (`offered`, `gone`).
    """
    faults = []
    for owner, answers in lacking.items():
        row = (offered or {}).get(owner, {"from": "", "names": {}})
        if _is_below(row["from"], gone):
            continue
        lost = [
            name
            for name, answer in answers.items()
            if stubbed_part(answer, parts) is None and not _is_below(row["names"].get(name, ""), gone)
        ]
        if lost:
            more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
            faults.append(f"dir({owner}) lacks {', '.join(lost[:_NAMED])}{more}")
    return faults


def _is_below(module: str, gone: Collection[str]) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in gone)


def compare(
    ours: Outcomes,
    stock: Outcomes,
    skips: Mapping[str, str],
    removed: Mapping[str, str] | None = None,
    parts: Mapping[tuple[str, str], str] | None = None,
) -> Comparison:
    """Judges our outcomes by the PyPI wheel's (`stock`).

    `skips` maps the start of a node id to the recipe's reason, `removed` to the component that is not in
    the wheel; those tests were not run with ours. `parts` are those of `missed`. A test that passes with the
    PyPI wheel must pass with ours, or have run into a stub; a test that is missing is lost. A test that fails
    with ours is lost too where the PyPI wheel skips it or does not have it. A skip that fits no test is
    reported, and so is a removed test outside a folder. Ids that differ in numbers alone are `aligned`.
    """
    removed = removed or {}
    ours = aligned(ours, stock)
    stubbed = missed(ours, parts or {})
    skipped: dict[str, list[str]] = {}
    gone: dict[str, list[str]] = {}
    judged: dict[str, list[Loss]] = {}
    unmatched = set(skips) | {start for start in removed if not start.endswith("/")}
    for test in sorted({*stock, *ours}):
        wanted, _ = stock.get(test, (NOT_RUN, ""))
        found, reason = ours.get(test, (NOT_RUN, "the test was not collected"))
        rules = [s for s in (*removed, *skips) if test.startswith(s)] if found == NOT_RUN else []
        unmatched.difference_update(rules)
        part = stubbed.get(test if test in ours else test.partition("::")[0])
        if rules or part:
            group = skipped if rules and rules[0] not in removed else gone
            name = {**skips, **removed}[rules[0]] if rules else part or ""
            if wanted in GOOD:
                group.setdefault(name, []).append(test)
        else:
            row = Loss(test=test, stock=wanted, ours=found, reason=reason)
            judged.setdefault(_verdict(found, wanted), []).append(row)
    reasons = Counter(reason for t, (o, reason) in ours.items() if o == "skipped" and t not in stubbed)
    return Comparison(
        ours=dict(Counter("removed" if t in stubbed else o for t, (o, _) in ours.items())),
        stock=dict(Counter(outcome for outcome, _ in stock.values())),
        losses=tuple(judged.get("lost", ())),
        gains=tuple(row.test for row in judged.get("gained", ())),
        both_failed=tuple(row.test for row in judged.get("failed on both", ())),
        skipped={reason: tuple(tests) for reason, tests in skipped.items()},
        removed={part: tuple(tests) for part, tests in gone.items()},
        skip_reasons=dict(reasons.most_common()),
        unmatched_skips=tuple(sorted(unmatched)),
    )


def _verdict(ours: str, stock: str) -> str:
    if stock in GOOD and not as_good(ours, stock):
        return "lost"
    if stock not in GOOD and ours in GOOD:
        return "gained"
    if ours in BAD:
        return "failed on both" if stock in BAD else "lost"
    return "the same"
