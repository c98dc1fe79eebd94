"""`ci/rules`: what it writes into rules, and what it calls a difference."""

from __future__ import annotations

import pytest

from rulecheck.check import _differences
from rulecheck.figures import with_sizes, without_draft

TEXT = """schema = 1
name = "demo"
draft = true

# A comment that stays.
[[rules]]
name = "po"
saved = 0
[[rules.minify]]
kind = "json"

[[components]]
name = "aio"
saved = 1_000
"""


def test_with_sizes_changes_numbers_alone() -> None:
    made = with_sizes(TEXT, {"po": 12345, "aio": 7})
    assert made == TEXT.replace("saved = 0", "saved = 12_345").replace("saved = 1_000", "saved = 7")
    with pytest.raises(KeyError):
        with_sizes(TEXT, {"po": 1})


def test_without_draft_deletes_the_mark_alone() -> None:
    assert without_draft(TEXT) == TEXT.replace("draft = true\n", "")


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        ({"result": [1]}, {"result": [1]}, []),
        ({"result": [1]}, {"result": [2]}, ["t differs: [1] with the PyPI wheel, [2] with ours"]),
        ({"result": [1]}, {"error": "E: x"}, ["t differs: [1] with the PyPI wheel, E: x with ours"]),
        ({"error": "E: x"}, {"error": "E: x"}, ["t fails with the PyPI wheel: E: x"]),
        ({"result": []}, {"result": []}, ["t returns nothing that could differ"]),
    ],
)
def test_differences_of_two_results(
    theirs: dict[str, object], ours: dict[str, object], said: list[str]
) -> None:
    assert list(_differences({"t": theirs}, {"t": ours})) == said
