"""The rules of each package on its PyPI wheels: `pytest tests/rules -k kubernetes`."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulecheck.check import Checker
from spokeshave.recipes.rule_book import rule_names, rules_of
from support import RECIPES

pytestmark = pytest.mark.network


@pytest.mark.parametrize("name", rule_names([RECIPES]))
def test_rules_of_package_change_no_result(name: str, tmp_path: Path) -> None:
    rules = rules_of([RECIPES], name)
    assert rules is not None
    for checked in Checker(recipes=RECIPES, rules=rules, folder=tmp_path).all():
        assert checked.faults == (), checked.version
        assert checked.tests
        if checked.version == rules.sizes:
            recorded = {row.name: row.saved for row in rules.rows()}
            assert checked.saved == {one: recorded[one] for one in checked.saved}, "next: ci/rules --sizes"
