"""Ext modules that only tests import leave the wheel for the tests archive."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Lever, Options, Shaved, Tree


def shave(tree: Tree, options: Options) -> Shaved:
    """Moves the files that fit the recipe's `match`."""
    found = tree.matching(options.get("match", ()))
    return Shaved(saved=sum(tree.move_to_tests(path) for path in found), files=len(found))


LEVER = Lever(
    name="test-modules",
    summary="test-only ext modules moved into the tests archive",
    options=("match",),
    shave=shave,
)
