"""Unreferenced functions and data, and the page padding between segments."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Flags, Lever, Options

_SPLIT = ("-ffunction-sections", "-fdata-sections")


def flags(options: Options) -> Flags:
    """One section a function, so that the linker can drop the unused; segments share their pages."""
    return Flags(
        c=_SPLIT,
        cxx=_SPLIT,
        fortran=_SPLIT,
        link=(
            "-Wl,--gc-sections",
            "-Wl,--as-needed",
            "-Wl,-z,noseparate-code",
            "-Wl,--hash-style=gnu",
        ),
    )


LEVER = Lever(name="sections", summary="unused ELF sections and page padding", flags=flags)
