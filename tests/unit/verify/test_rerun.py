"""Lost tests run again: the one rule of `verify` and `slim`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from spokeshave.verify.outcomes import Comparison, Outcomes, compare
from spokeshave.verify.rerun import AT_MOST, RERUNS, rerun_lost

PYPI = {"a": ("passed", ""), "b": ("passed", ""), "c": ("xfailed", "")}
Run = Callable[[tuple[str, ...]], Outcomes]


def answers(*outcomes: Outcomes) -> tuple[Run, list[tuple[str, ...]]]:
    """A runner that gives these outcomes one after the other, and the tests that it was asked for."""
    left: Iterator[Outcomes] = iter(outcomes)
    asked: list[tuple[str, ...]] = []

    def run(tests: tuple[str, ...]) -> Outcomes:
        asked.append(tests)
        return next(left)

    return run, asked


def judge(ours: Outcomes) -> Comparison:
    return compare(ours, PYPI, {})


def test_rerun_lost_that_passes_every_time_is_flaky() -> None:
    ours = {**PYPI, "a": ("failed", "once")}
    run, asked = answers({"a": ("passed", "")}, {"a": ("passed", "")})
    comparison, flaky = rerun_lost(ours, judge(ours), run, judge)
    assert comparison.losses == ()
    assert flaky == {"a": ("failed", "passed", "passed")}
    assert asked == [("a",)] * RERUNS


@pytest.mark.parametrize("again", [("failed", ""), ("skipped", ""), None])
def test_rerun_lost_that_fails_once_more_is_lost(again: tuple[str, str] | None) -> None:
    """With the outcome and the reason of its first run."""
    ours = {**PYPI, "a": ("failed", "first")}
    run, _ = answers({"a": ("passed", "")}, {"a": again} if again else {})
    comparison, flaky = rerun_lost(ours, judge(ours), run, judge)
    assert [(loss.test, loss.reason) for loss in comparison.losses] == [("a", "first")]
    assert flaky == {}


def test_rerun_expected_failure_is_not_as_good_as_a_pass() -> None:
    ours = {**PYPI, "b": ("failed", ""), "c": ("failed", "")}
    same = {"b": ("xfailed", ""), "c": ("xfailed", "")}
    comparison, flaky = rerun_lost(ours, judge(ours), answers(same, same)[0], judge)
    assert [loss.test for loss in comparison.losses] == ["b"]
    assert list(flaky) == ["c"]


def test_rerun_test_that_was_not_collected_is_lost_without_a_rerun() -> None:
    ours = {"a": PYPI["a"], "b": PYPI["b"]}
    run, asked = answers()
    comparison, flaky = rerun_lost(ours, judge(ours), run, judge)
    assert ([loss.test for loss in comparison.losses], flaky, asked) == (["c"], {}, [])


@pytest.mark.parametrize(("number", "runs"), [(AT_MOST, RERUNS), (AT_MOST + 1, 0)])
def test_rerun_many_losses_are_no_accident(number: int, runs: int) -> None:
    pypi = {f"t{n}": ("passed", "") for n in range(number)}
    ours = {test: ("failed", "") for test in pypi}
    run, asked = answers(*[pypi] * RERUNS)
    rerun_lost(ours, compare(ours, pypi, {}), run, lambda merged: compare(merged, pypi, {}))
    assert len(asked) == runs
