"""Padding in front of functions and branch targets; loops keep theirs."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Flags, Lever, Options

_PACKED = ("-fno-align-functions", "-fno-align-jumps", "-fno-align-labels")


def flags(options: Options) -> Flags:
    """All languages: -Os packs its code anyway, so this acts on what is -O2 or -O3."""
    return Flags(c=_PACKED, cxx=_PACKED, fortran=_PACKED)


LEVER = Lever(name="alignment", summary="padding between functions and at branch targets", flags=flags)
