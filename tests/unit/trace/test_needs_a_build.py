"""Components that no copy of an install can be without, as the recheck tries them."""

from __future__ import annotations

from typing import Any

import pytest

from spokeshave.recipes.schema import ComponentTable
from spokeshave.trace.overlay import needs_a_build


@pytest.mark.parametrize(
    ("keys", "needed"),
    [
        ({"modules": ("alpha.fast",), "patches": ("fast.patch",)}, False),
        ({"variants": ("alpha/_small",)}, True),
        ({"needed-by-pypi": True}, True),
    ],
)
def test_needs_a_build_where_kept_compiled_code_changes(keys: dict[str, Any], needed: bool) -> None:
    part = ComponentTable.model_validate({"name": "part", "summary": "x", **keys})
    assert needs_a_build(part) is needed
