"""The rerun of lost tests, by one rule for `verify` and `slim`: one that then passes is flaky. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spokeshave.verify.outcomes import NOT_RUN, Comparison, Outcomes, as_good

RERUNS = 2
AT_MOST = 40  # lost tests; a higher number is no accident


def rerun_lost(
    ours: Outcomes,
    first: Comparison,
    run: Callable[[tuple[str, ...]], Outcomes],
    judge: Callable[[Outcomes], Comparison],
) -> tuple[Comparison, Mapping[str, tuple[str, ...]]]:
    """The comparison after reruns of the lost tests, and the flaky ones with all their outcomes.

    `run` runs these tests of ours again, `judge` compares our outcomes with the PyPI wheel's. A test that was
    not collected is not run again. A test is flaky if each rerun is as good as the PyPI wheel's outcome.
    """
    seen = {loss.test: [loss.ours] for loss in first.losses if loss.ours != NOT_RUN}
    wanted = {loss.test: loss.stock for loss in first.losses}
    if not 0 < len(seen) <= AT_MOST:
        return first, {}
    merged = dict(ours)
    for _ in range(RERUNS):
        again = run(tuple(seen))
        for test, outcomes in seen.items():
            merged[test] = again.get(test, (NOT_RUN, ""))
            outcomes.append(merged[test][0])
    for test, outcomes in seen.items():
        if not all(as_good(outcome, wanted[test]) for outcome in outcomes[1:]):
            merged[test] = ours[test]
    comparison = judge(merged)
    lost = {loss.test for loss in comparison.losses}
    return comparison, {test: tuple(found) for test, found in seen.items() if test not in lost}
