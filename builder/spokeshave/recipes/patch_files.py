"""The files that patches of recipes change, and the check of those that removals need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from spokeshave.recipes.schema import Recipe
from spokeshave.recipes.texts import Fault

_SECTION = re.compile(r"^--- (\S+).*\n\+\+\+ (\S+)", re.MULTILINE)


def patched_files(text: str) -> list[str]:
    """The files that a patch changes, makes or deletes, below the source."""
    pairs = _SECTION.findall(text)
    return [(old if new == "/dev/null" else new).partition("/")[2] for old, new in pairs]


def removal_patch_faults(recipe: Recipe, files: Mapping[str, str]) -> Iterator[Fault]:
    """The patches of components that change other files than Python's: the compile has no part in them.

    `files` are the texts of the patches, by name.
    """
    for part in recipe.components:
        for patch in part.patches:
            other = [name for name in patched_files(files[patch]) if not name.endswith(".py")]
            if other:
                yield f"components.{part.name}.patches", f"{patch} changes {', '.join(other[:3])}"
