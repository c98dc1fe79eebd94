"""The copy of an install without components: which parts of the recipe's patches it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallstack import small_stack
from spokeshave.context import Context
from spokeshave.trace.overlay import lay_over
from support import TARGET

ALPHA = {
    "alpha/__init__.py": "from alpha.fast import work\n",
    "alpha/fast.py": "def work():\n    return 1\n",
}
# As pandas/patches/0007: compiled code takes the name from a module that the patch adds.
VERSION_PATCH = """Why: one place has the name.

--- /dev/null
+++ b/alpha/_place.py
@@ -0,0 +1,1 @@
+from alpha.fast import work
"""
# As pandas/patches/0005: the added module changes with the removal.
REMOVAL_PATCH = """Why: alpha lives on without alpha.fast.

--- a/alpha/__init__.py
+++ b/alpha/__init__.py
@@ -1,1 +1,1 @@
-from alpha.fast import work
+from alpha._place import work
--- a/alpha/_place.py
+++ b/alpha/_place.py
@@ -1,1 +1,4 @@
-from alpha.fast import work
+try:
+    from alpha.fast import work
+except ModuleNotFoundError:
+    work = None
"""
PARTS = (
    '[[components]]\nname = "fast"\nsummary = "x"\nmodules = ["alpha.fast"]\npatches = ["removal.patch"]\n'
)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A recipe whose version's patch adds a module, and an install of it as PyPI has it."""
    made = small_stack(tmp_path, {"alpha": (ALPHA, PARTS)})
    recipe = tmp_path / "recipes" / "alpha"
    (recipe / "version.patch").write_text(VERSION_PATCH)
    (recipe / "removal.patch").write_text(REMOVAL_PATCH)
    text = (recipe / "recipe.toml").read_text()
    (recipe / "recipe.toml").write_text(
        text.replace("[[versions]]\n", '[[versions]]\npatches = ["version.patch"]\n')
    )
    (tmp_path / "recipes" / "profiles" / "lean.toml").write_text(
        'schema = 1\nname = "lean"\nsummary = "small"\n[levers]\n'
        '[[remove]]\ncomponent = "alpha/fast"\nreason = "nobody calls it"\n'
    )
    (tmp_path / "install" / "alpha").mkdir(parents=True)
    for name, text in ALPHA.items():
        (tmp_path / "install" / name).write_text(text)
    return made


def laid_over(context: Context) -> Path:
    root = context.logs.parent
    lay_over(
        context,
        context.book.profile("lean"),
        TARGET,
        {"alpha": root / "install" / "alpha"},
        root / "copy",
    )
    return root / "copy" / "alpha"


def test_lay_over_module_that_a_version_patch_adds_gets_the_removal_s_hunk(context: Context) -> None:
    assert "except ModuleNotFoundError" in (laid_over(context) / "_place.py").read_text()


def test_lay_over_wheel_that_has_the_added_module_gets_the_removal_s_hunk(context: Context) -> None:
    (context.logs.parent / "install" / "alpha" / "_place.py").write_text("from alpha.fast import work\n")
    assert "except ModuleNotFoundError" in (laid_over(context) / "_place.py").read_text()
