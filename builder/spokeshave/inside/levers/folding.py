"""Identical code folding: functions with the same machine code share one copy."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Flags, Lever, Options

FLAGS = ("-fuse-ld=gold", "-Wl,--icf=safe")


def flags(options: Options) -> Flags:
    """GNU gold folds only functions whose address nothing takes, which it knows by their relocations.

    lld and mold are as careful only with tables that gcc does not write. Where a machine has no gold, the
    launcher takes these two flags out again and the ordinary linker folds nothing.
    """
    return Flags(link=FLAGS)


LEVER = Lever(name="folding", summary="identical functions folded into one (needs GNU gold)", flags=flags)
