"""Smaller variants of a wheel's modules: they move into place, or go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.inside.finish import remove_components
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import BuildPlan, Removed
from spokeshave.inside.variants import place_variants
from support import shipped_plan

INTERFACES = Removed(
    component="interfaces", reason="no caller", modules=(), late=(), files=(), variants=("kit/_small",)
)
WHOLE = Removed(component="kit", reason="not used here", modules=("kit",), late=(), files=())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A wheel with a module, and a smaller variant of it."""
    root = tmp_path / "root"
    (root / "kit/_small").mkdir(parents=True)
    (root / "kit/_native.so").write_text("all functions")
    (root / "kit/_small/_native.so").write_text("few")
    (root / "kit/_small/_names.py").write_text("NAMES = 1\n")
    return Tree(root=root, tests=tmp_path / "tests")


def plan(*removed: Removed) -> BuildPlan:
    return replace(shipped_plan("numpy"), variants=("kit/_small",), removed=removed)


def test_place_variants_of_a_removed_component_replace_the_whole_modules(tree: Tree) -> None:
    saved = place_variants(plan(INTERFACES), tree)
    assert (tree.root / "kit/_native.so").read_text() == "few"
    assert (tree.root / "kit/_names.py").exists() and not (tree.root / "kit/_small").exists()
    assert saved == {"interfaces": len("all functions") - len("few") - len("NAMES = 1\n")}


def test_place_variants_of_a_kept_component_are_deleted(tree: Tree) -> None:
    assert place_variants(plan(), tree) == {}
    assert (tree.root / "kit/_native.so").read_text() == "all functions"
    assert not (tree.root / "kit/_small").exists()


def test_place_variants_missing_folder_is_an_error(tree: Tree) -> None:
    other = replace(plan(), variants=("kit/_tiny",))
    with pytest.raises(ValueError, match="there is no folder kit/_tiny"):
        place_variants(other, tree)


@pytest.mark.parametrize("removed", [(WHOLE,), (WHOLE, INTERFACES), (INTERFACES, WHOLE)])
def test_remove_components_the_folder_of_variants_goes_with_its_package(
    tree: Tree, removed: tuple[Removed, ...]
) -> None:
    saved = {part.component: it for part, it in remove_components(plan(*removed), tree)}
    stub = (tree.root / "kit.py").stat().st_size
    assert sum(it.saved for it in saved.values()) == len("all functions") - stub
    assert not (tree.root / "kit").exists()
