"""Node ids of parametrized tests that have another number in each of two runs. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

_NUMBER = re.compile(r"\d+(?=[-\]])")


def aligned(
    ours: Mapping[str, tuple[str, str]], stock: Mapping[str, tuple[str, str]]
) -> Mapping[str, tuple[str, str]]:
    """Our outcomes under the PyPI wheel's ids, where only numbers at the end of parameters differ.

    pytest numbers parameters that have no name, in the order that the test gives. numpy takes some from a set
    (`numpy._core.sctypes`), whose order depends on the addresses of the types, so on the link of the wheel.
    Ids that only one side has are aligned if both sides have as many of that form; equal outcomes first.
    """
    lone_ours = _by_form(test for test in ours if test not in stock)
    lone_stock = _by_form(test for test in stock if test not in ours)
    names = {
        test: wanted
        for form, tests in lone_ours.items()
        if len(tests) == len(lone_stock.get(form, ()))
        for test, wanted in zip(_by_outcome(tests, ours), _by_outcome(lone_stock[form], stock), strict=True)
    }
    return {names.get(test, test): outcome for test, outcome in ours.items()}


def _by_form(tests: Iterable[str]) -> dict[str, list[str]]:
    """The ids with parameters, by the id without the numbers at the end of each parameter."""
    forms: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        name, bracket, parameters = test.partition("[")
        if bracket and (form := _NUMBER.sub("", parameters)) != parameters:
            forms[f"{name}[{form}"].append(test)
    return forms


def _by_outcome(tests: Sequence[str], outcomes: Mapping[str, tuple[str, str]]) -> list[str]:
    return sorted(tests, key=lambda test: (outcomes[test][0], test))
