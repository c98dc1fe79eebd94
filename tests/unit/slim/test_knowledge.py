"""Where the shared BLAS and the recipes of `slim` come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from spokeshave.errors import RecipeError, WheelError
from spokeshave.inside.model import Target
from spokeshave.slim.intake import read_stock
from spokeshave.slim.knowledge import Knowledge, check_wish, known_of, with_library
from spokeshave.slim.model import Settings
from spokeshave.slim.recipe_use import Wish
from support import demo_files, make_context, write_wheel


def offered(folder: Path, version: str) -> Path:
    name = f"slim_openblas-{version}-py3-none-manylinux_2_27_x86_64.whl"
    return write_wheel(folder / name, demo_files("slim_openblas", version))


@pytest.mark.parametrize(("version", "taken"), [("0.3.31+lean.1", True), ("99.0", False)])
def test_library_from_an_index_needs_a_local_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, taken: bool
) -> None:
    (logs := tmp_path / "logs").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered(tmp_path / "index", version).parent))
    context, source = make_context(tmp_path, logs=logs), Knowledge(wanted="slim-openblas")
    if taken:
        found = with_library(context, source, Target(), tmp_path / "got")
        assert found.blas and found.blas.name.startswith("slim_openblas-0.3.31+lean.1-")
        return
    with pytest.raises(WheelError, match="its version has no local label"):
        with_library(context, source, Target(), tmp_path / "got")


@pytest.mark.parametrize("project", ["numpy", "scipy", "pandas", "scikit_learn"])
@pytest.mark.parametrize("tag", ["cp311", "cp313", "cp314"])
def test_shipped_recipe_is_found_for_every_python(tmp_path: Path, project: str, tag: str) -> None:
    name = f"{project}-0.1-{tag}-{tag}-manylinux_2_28_x86_64.whl"
    wheel = write_wheel(tmp_path / name, demo_files(project, "0.1"))
    known = known_of(make_context(tmp_path), Knowledge(), read_stock(wheel), Settings(), tmp_path)
    assert known.recipe and not known.recipe.listed
    assert known.recipe.plan.local_version == "0.1+slim.1"
    assert list(known.libraries()) == []


def test_package_without_a_recipe_has_none(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", demo_files())
    assert (
        known_of(make_context(tmp_path), Knowledge(), read_stock(wheel), Settings(), tmp_path).recipe is None
    )


def test_wish_for_an_unknown_component_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="recipe scipy has no component 'sgnal'") as fault:
        check_wish(make_context(tmp_path), Knowledge(wish=Wish(remove=("scipy/sgnal",))), Target())
    assert "signal" in fault.value.next_step
