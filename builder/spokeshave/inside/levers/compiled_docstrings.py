"""Docstrings in other compiled code: of ufuncs, and of f2py's wrappers; signatures are kept.

The recipe's `docstring-patches` do it, since no compiler has a flag for it. The plan applies them.
"""

from __future__ import annotations

from spokeshave.inside.levers.lever import Flags, Lever, Options


def flags(options: Options) -> Flags:
    """None: patches act on the compile."""
    return Flags()


LEVER = Lever(
    name="compiled-docstrings", summary="docstrings of ufuncs and f2py's wrappers (by patches)", flags=flags
)
