"""Which wheels go into our image, and what it says where they are not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagebench.wheels import BUILT, find_built, project
from spokeshave.errors import WheelError

HERE = Path(__file__).resolve().parents[3] / "ci" / "image"
NAMES = (
    "numpy-2.4.6+lean.1-cp311-cp311-manylinux_2_28_x86_64.whl",
    "pandas-3.1.1+lean.1-cp311-cp311-manylinux_2_28_x86_64.whl",
    "scikit_learn-1.9.1+lean.1-cp311-cp311-manylinux_2_28_x86_64.whl",
    "scipy-1.17.1+lean.1-cp311-cp311-manylinux_2_28_x86_64.whl",
    "slim_openblas-0.3.31+lean.1-py3-none-manylinux_2_28_x86_64.whl",
)


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_a_profile_with_its_blas(tmp_path: Path) -> None:
    fill(tmp_path, *NAMES, *(name.replace("+lean.", "+full.") for name in NAMES))
    assert [path.name for path in find_built(tmp_path, "lean")] == list(NAMES)
    assert project(tmp_path / NAMES[2]) == "scikit-learn"


def test_what_is_missing_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match=r"lean of: scipy, scikit-learn$") as caught:
        find_built(fill(tmp_path, *NAMES[:2]), "lean")
    assert "spokeshave build --all --profile lean" in caught.value.next_step


def test_two_versions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match=r"numpy-2\.4\.6\+lean\.2"):
        find_built(fill(tmp_path, *NAMES, NAMES[0].replace("lean.1", "lean.2")), "lean")


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
