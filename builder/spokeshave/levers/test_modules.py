"""Ext modules that only tests import leave the wheel for the tests archive."""

from __future__ import annotations

from spokeshave.levers.base import Lever, Options, Shaved, Tree


def shave(tree: Tree, options: Options) -> Shaved:
    """Moves the files that fit the recipe's `match`; a glob that matches nothing is an error.

    Raises ValueError for such a glob: upstream has renamed or dropped the module.
    """
    found = []
    for glob in options.get("match", ()):
        matched = tree.matching((glob,))
        if not matched:
            raise ValueError(f"levers.test-modules: {glob!r} matches no file of the wheel")
        found += matched
    return Shaved(saved=sum(tree.move_to_tests(path) for path in found), files=len(found))


LEVER = Lever(name="test-modules", summary="test-only ext modules moved into the tests archive", shave=shave)
