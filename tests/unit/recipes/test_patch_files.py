"""Patches that removals need change Python files alone: the compile has no part in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from demorecipe import RECIPE
from spokeshave.errors import RecipeError
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.patch_files import patched_files
from support import RECIPES

PART = '[[components]]\nname = "part"\nsummary = "x"\nmodules = ["demo.part"]\npatches = ["part.patch"]\n\n'


def patch(*files: str) -> str:
    return "Why.\n\n" + "".join(f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n" for name in files)


def write_demo(folder: Path, text: str) -> Path:
    """A recipes folder whose one recipe has a component with this patch."""
    demo = folder / "demo"
    demo.mkdir()
    for name in ("lock.txt", "exports.txt", "one.patch"):
        (demo / name).write_text(f"content of {name}\n")
    (demo / "part.patch").write_text(text)
    (demo / "recipe.toml").write_text(RECIPE.replace("[verify]\n", PART + "[verify]\n"))
    return folder


@pytest.mark.parametrize("name", RecipeBook([RECIPES]).names())
def test_removal_patches_shipped_change_python_files_alone(name: str) -> None:
    loaded = RecipeBook([RECIPES]).load(name)
    for patch in {patch for part in loaded.recipe.components for patch in part.patches}:
        files = patched_files(loaded.files[patch])
        assert files and all(file.endswith(".py") for file in files), patch


def test_removal_patch_of_python_is_read(tmp_path: Path) -> None:
    loaded = RecipeBook([write_demo(tmp_path, patch("demo/a.py"))]).load("demo")
    assert loaded.recipe.components[0].patches == ("part.patch",)


@pytest.mark.parametrize("file", ["demo/core.pyx", "demo/meson.build", "demo/a.c", "demo/a.pyi"])
def test_removal_patch_of_another_file_is_an_error(tmp_path: Path, file: str) -> None:
    write_demo(tmp_path, patch("demo/a.py", file))
    with pytest.raises(RecipeError, match=r"only its \.py files") as caught:
        RecipeBook([tmp_path]).load("demo")
    assert str(tmp_path / "demo" / "recipe.toml") in caught.value.what
    assert f"components.part.patches: part.patch changes {file}" in caught.value.what
    assert "under `versions`" in caught.value.next_step and "`variants`" in caught.value.next_step


def test_patched_files_made_and_deleted_ones_too() -> None:
    made = "--- /dev/null\n+++ b/demo/new.py\n@@ -0,0 +1 @@\n+x\n"
    deleted = "--- a/demo/old.c\t2026-01-01\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert patched_files(f"Why.\n{made}{deleted}") == ["demo/new.py", "demo/old.c"]
