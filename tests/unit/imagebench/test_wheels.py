"""Which wheels go into our image, and what it says where they are not there."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from imagebench.wheels import BUILT, Shrunk, require_built
from spokeshave.api import ShrunkWheel
from spokeshave.errors import WheelError

HERE = Path(__file__).resolve().parents[3] / "ci" / "image"


def wheel(project: str, tier: str, *, extra: bool = False) -> ShrunkWheel:
    """A wheel of which 5 of 9 bytes are left."""
    sides = {"pick": SimpleNamespace(project=project), "before": 9, "after": 5}
    return cast("ShrunkWheel", SimpleNamespace(tier=tier, extra=extra, **sides))


def test_built_wheels_that_are_missing_are_named_with_the_way_to_get_them(tmp_path: Path) -> None:
    wheels = [wheel("numpy", "built"), wheel("scipy", "recipe"), wheel("lxml", "slim")]
    require_built(wheels[::2], "lean", tmp_path)
    with pytest.raises(WheelError, match=r"lean of: scipy$") as caught:
        require_built(wheels, "lean", tmp_path)
    assert "spokeshave build --all --profile lean" in caught.value.next_step


def test_others_are_the_packages_without_a_recipe(tmp_path: Path) -> None:
    wheels = (wheel("numpy", "built"), wheel("slim-openblas", "built", extra=True), wheel("lxml", "slim"))
    assert Shrunk(folder=tmp_path, wheels=wheels).others == (5, 9)


def test_requirements_are_locked_and_are_what_the_recipes_build() -> None:
    """A version that a recipe moves on moves here too: our wheel takes the stock wheel's place."""
    lines = (HERE / "requirements.txt").read_text("utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    pin = re.compile(r"^([a-z0-9-]+)==(\S+) --hash=sha256:[0-9a-f]{64}$")
    pinned = {found[1]: found[2] for row in rows if (found := pin.match(row))}
    assert len(pinned) == len(rows)
    for name in BUILT:
        recipe = (HERE.parents[1] / "recipes" / name / "recipe.toml").read_text("utf-8")
        first = re.search(r'^version = "(.+)"', recipe, re.MULTILINE)
        assert first
        assert first[1] == pinned[name]
