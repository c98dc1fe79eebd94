"""Text that modules need: found by the check, given back module by module, and lever by lever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from spokeshave.slim.import_check import Imports
from spokeshave.slim.levers import Spared
from spokeshave.slim.model import ON_REQUEST, Saving, Settings, Slimmed

_ROUNDS = 8  # for each lever; then it is switched off for the wheel
# A decorator fails on what a module gives it: the first of the two files is often that of the decorator.
_FILES_A_FAULT = 2


class Attempt(NamedTuple):
    """A slim wheel, and its imports compared with those of the PyPI wheel."""

    slimmed: Slimmed
    imports: Imports


Again = Callable[[Settings, Spared], Attempt]


def spare_text(first: Attempt, again: Again) -> Attempt:
    """The wheel in which modules that fail without their text keep it, if that is why they fail.

    `again` slims and checks with other settings. Levers of text are tried in their order; one whose modules
    still fail is switched off. Where modules fail without these levers too, the first attempt is the result.
    """
    now, spared = first, dict[str, frozenset[str]]()
    settings = first.slimmed.settings
    given_up = []
    for lever in (name for name in ON_REQUEST if name in settings.levers):
        for _ in range(_ROUNDS):
            known = spared.get(lever, frozenset())
            if not (found := _suspects(now.imports, known)):
                break
            spared[lever] = known | found
            now = again(settings, spared)
        if not now.imports.faults:
            break
        settings = replace(settings, levers=tuple(name for name in settings.levers if name != lever))
        given_up.append(_given_up(lever, now.imports))
        now = again(settings, spared)
        if not now.imports.faults:
            break
    if now.imports.faults:
        return first
    return Attempt(replace(now.slimmed, savings=(*now.slimmed.savings, *given_up)), now.imports)


def _suspects(imports: Imports, known: frozenset[str]) -> frozenset[str]:
    """The innermost files that the faults went through and that are not known yet."""
    news = ([name for name in files if name not in known] for files in imports.suspects)
    return frozenset(name for files in news for name in files[:_FILES_A_FAULT])


def _given_up(lever: str, imports: Imports) -> Saving:
    note = f"{lever} are kept in the whole wheel: without them, {imports.faults[0]}"
    return Saving(lever=lever, saved=0, files=0, notes=(note,))
