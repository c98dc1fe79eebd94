"""Moves test files from the wheel to the tests archive next to it."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Lever, Options, Shaved, Tree

_ALWAYS = ("*/tests/*", "*/conftest.py")


def shave(tree: Tree, options: Options) -> Shaved:
    """Moves what lies below a `tests` folder, conftest.py, and the recipe's `match`, but not its `keep`."""
    found = tree.matching((*_ALWAYS, *options.get("match", ())), options.get("keep", ()))
    return Shaved(saved=sum(tree.move_to_tests(path) for path in found), files=len(found))


LEVER = Lever(
    name="tests", summary="test files moved into the tests archive", options=("match", "keep"), shave=shave
)
