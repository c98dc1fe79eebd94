"""Unwind tables of C and Fortran code, which no exception passes through."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Flags, Lever, Options

_OFF = ("-fno-asynchronous-unwind-tables", "-fno-unwind-tables")


def flags(options: Options) -> Flags:
    """C and Fortran, or the recipe's `languages`; never C++, which needs its tables to throw."""
    languages = options.get("languages", ("c", "fortran"))
    return Flags(c=_OFF if "c" in languages else (), fortran=_OFF if "fortran" in languages else ())


LEVER = Lever(
    name="unwind", summary="unwind tables of C and Fortran code", options=("languages",), flags=flags
)
