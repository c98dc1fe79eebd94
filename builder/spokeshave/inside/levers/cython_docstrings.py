"""Docstrings that Cython compiles into ext modules; signatures are kept, since functions carry them apart."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Flags, Lever, Options


def flags(options: Options) -> Flags:
    """Cython's own switch; it acts on every module of the package."""
    return Flags(cython=("--no-docstrings",))


LEVER = Lever(name="cython-docstrings", summary="docstrings inside Cython's ext modules", flags=flags)
