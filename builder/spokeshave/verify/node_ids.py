"""Node ids of parametrized tests that have another number in each of two runs. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

_NUMBER = re.compile(r"\d+(?=[-\]])")


def aligned(
    ours: Mapping[str, tuple[str, str]], stock: Mapping[str, tuple[str, str]]
) -> Mapping[str, tuple[str, str]]:
    """Our outcomes under the PyPI wheel's ids, where only the order of numbered parameters differs.

    pytest numbers parameters that have no name, in the order that the test gives. numpy takes some from a set
    (`numpy._core.sctypes`), whose order depends on the addresses of the types, so on the link of the wheel.
    The ids of a test that only one side has are aligned if both sides are made of the same parts, and have
    the same forms without numbers; of equal forms, equal outcomes first.
    """
    lone_ours = _by_test(test for test in ours if test not in stock)
    lone_stock = _by_test(test for test in stock if test not in ours)
    names: dict[str, str] = {}
    for name, tests in lone_ours.items():
        mine, theirs = _ordered(tests, ours), _ordered(lone_stock.get(name, []), stock)
        if _parts(mine) == _parts(theirs) and [*map(_form, mine)] == [*map(_form, theirs)]:
            names |= zip(mine, theirs, strict=True)
    return {names.get(test, test): outcome for test, outcome in ours.items()}


def _by_test(ids: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for test in ids:
        found[test.partition("[")[0]].append(test)
    return found


def _ordered(ids: Iterable[str], outcomes: Mapping[str, tuple[str, str]]) -> list[str]:
    return sorted(ids, key=lambda test: (_form(test), outcomes[test][0], test))


def _form(test: str) -> str:
    """The id without the numbers at the end of its parameters."""
    name, bracket, parameters = test.partition("[")
    return name + bracket + _NUMBER.sub("", parameters)


def _parts(ids: Iterable[str]) -> Counter[str]:
    """The parameters of ids of one test, and how often each is in them: a type that is missing shows."""
    return Counter(part for test in ids for part in test.partition("[")[2].removesuffix("]").split("-"))
