"""What the options of `slim` and `shrink` ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spokeshave.cli.slim_options import read_levers
from spokeshave.errors import WheelError
from spokeshave.slim.knowledge import Knowledge
from spokeshave.slim.model import DEFAULT_LEVERS, ON_REQUEST
from support import make_context

NONE: dict[str, Any] = {
    **dict.fromkeys(ON_REQUEST, False),
    **{"without": (), "keep": (), "no_recipe": False, "remove": (), "locales": (), "blas": ""},
}


def knowledge(tmp_path: Path, **given: object) -> Knowledge:
    return read_levers(make_context(tmp_path).book, {**NONE, **given}, "")[1]


def test_blas_option_is_a_path_or_a_requirement(tmp_path: Path) -> None:
    assert knowledge(tmp_path) == Knowledge()
    assert knowledge(tmp_path, blas=str(tmp_path)) == Knowledge(blas=tmp_path)
    wanted = "slim-openblas==0.3.31+lean.1"
    assert knowledge(tmp_path, blas=wanted).wanted == wanted
    with pytest.raises(WheelError, match="no such file or folder"):
        knowledge(tmp_path, blas="nowhere/slim_openblas.whl")


def test_remove_option_takes_components_of_recipes_and_of_rules(tmp_path: Path) -> None:
    book = make_context(tmp_path).book
    settings, known = read_levers(book, {**NONE, "remove": ("kubernetes/aio", "scipy/signal")}, "")
    assert (settings.remove, known.wish.remove) == (("kubernetes/aio",), ("scipy/signal",))


def test_profile_switches_its_levers_and_keeps_those_it_cannot_name(tmp_path: Path) -> None:
    book = make_context(tmp_path).book
    plain, _ = read_levers(book, NONE, "")
    assert plain.levers == DEFAULT_LEVERS
    lean, _ = read_levers(book, NONE, "lean")
    assert lean.levers == (*DEFAULT_LEVERS, *ON_REQUEST)
    full, _ = read_levers(book, {**NONE, "without": ("json",)}, "full")
    own = ("rules", "tests", "test-modules", "sources", "duplicates", "symbols", "blas", "comments")
    assert full.levers == own, "it keeps type stubs, headers and docstrings"
