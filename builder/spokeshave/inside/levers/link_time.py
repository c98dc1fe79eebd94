"""Link-time optimization (LTO): an extension module of many sources is compiled as one."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Flags, Lever, Options

APART = "fno-lto"
_WHOLE = ("-flto=auto",)


def flags(options: Options) -> Flags:
    """C and C++, but for the sources that the recipe's `apart` names (the plan acts on it).

    In one partition: the directives that pin versions of libm's symbols act on the partition they are in.
    """
    return Flags(c=_WHOLE, cxx=_WHOLE, link=(*_WHOLE, "-flto-partition=none"))


LEVER = Lever(
    name="link-time",
    summary="calls between sources, compiled as one when linked",
    options=("apart",),
    flags=flags,
)
