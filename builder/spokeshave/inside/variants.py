"""Variants of a compiled wheel's modules: smaller ones, for profiles that remove a component.

They are in separate folders, below the folder of the whole modules. Standard library only.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import BuildPlan


def place_variants(plan: BuildPlan, tree: Tree) -> Mapping[str, int]:
    """Moves variants of removed components into the folders above theirs, and deletes all others.

    Returns by how many bytes the wheel is smaller for it, by component. Raises ValueError where it lacks a
    folder of variants.
    """
    saved = {
        removed.component: sum(_take(_folder(tree, name)) for name in removed.variants)
        for removed in plan.removed
        if removed.variants
    }
    for name in plan.variants:
        shutil.rmtree(_folder(tree, name))
    return saved


def _folder(tree: Tree, name: str) -> Path:
    folder = tree.root / name
    if not folder.is_dir():
        raise ValueError(f"there is no folder {name} in the wheel, which a recipe names under `variants`")
    return folder


def _take(folder: Path) -> int:
    before = after = 0
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        place = folder.parent / path.name
        before += place.stat().st_size if place.exists() else 0
        after += path.stat().st_size
        path.replace(place)
    return before - after
