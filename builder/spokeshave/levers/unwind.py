"""Unwind tables of C and Fortran code, which no exception passes through."""

from __future__ import annotations

from spokeshave.levers.base import Flags, Lever, Options

_OFF = ("-fno-asynchronous-unwind-tables", "-fno-unwind-tables")


def flags(options: Options) -> Flags:
    """C and Fortran only: C++ needs its tables to throw."""
    return Flags(c=_OFF, fortran=_OFF)


LEVER = Lever(name="unwind", summary="unwind tables of C and Fortran code", flags=flags)
