"""Text that modules need: found by the check, given back module by module, and lever by lever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from spokeshave.slim.error_text import one_line
from spokeshave.slim.levers import Spared
from spokeshave.slim.model import ON_REQUEST, Saving, Settings

_ROUNDS = 8  # for each lever; then it is switched off for the wheel
# A decorator fails on what a module gives it: the first of the two files is often that of the decorator.
_FILES_A_FAULT = 2
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Attempt(Generic[Result]):
    """The result with a slim wheel, its faults, and the modules that each may be due to, likeliest first."""

    result: Result
    faults: tuple[str, ...]
    suspects: tuple[tuple[str, ...], ...]


def spare_text(
    first: Attempt[Result], settings: Settings, again: Callable[[Settings, Spared], Attempt[Result]]
) -> tuple[Attempt[Result], tuple[Saving, ...]]:
    """The wheel in which modules that fail without their text keep it, and the levers that were given up.

    `again` slims and checks with other settings. Levers of text are tried in their order; one whose modules
    still fail is switched off. Where modules fail without these levers too, the first attempt is the result.
    """
    now, spared = first, dict[str, frozenset[str]]()
    given_up = []
    for lever in (name for name in ON_REQUEST if name in settings.levers):
        for _ in range(_ROUNDS):
            known = spared.get(lever, frozenset())
            if not (found := _suspects(now, known)):
                break
            spared[lever] = known | found
            now = again(settings, spared)
        if not now.faults:
            break
        settings = replace(settings, levers=tuple(name for name in settings.levers if name != lever))
        given_up.append(_given_up(lever, now.faults[0]))
        now = again(settings, spared)
        if not now.faults:
            break
    return (first, ()) if now.faults else (now, tuple(given_up))


def _suspects(now: Attempt[Result], known: frozenset[str]) -> frozenset[str]:
    """The likeliest modules of each fault that are not known yet."""
    news = ([name for name in files if name not in known] for files in now.suspects)
    return frozenset(name for files in news for name in files[:_FILES_A_FAULT])


def _given_up(lever: str, fault: str) -> Saving:
    note = f"{lever} are kept in the whole wheel: without them, {one_line(fault)}"
    return Saving(lever=lever, saved=0, files=0, notes=(note,))
