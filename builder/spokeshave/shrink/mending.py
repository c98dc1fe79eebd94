"""A faulty slim wheel gets text back, module by module and lever by lever; else PyPI's wheel replaces it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from spokeshave.context import Context
from spokeshave.shrink.blame import Fault, blame, dependents, requires_of
from spokeshave.shrink.help_texts import help_sources
from spokeshave.shrink.model import Chosen
from spokeshave.shrink.paired_check import Both, Compared
from spokeshave.shrink.tiers import as_it_is
from spokeshave.slim.error_text import one_line
from spokeshave.slim.levers import Spared
from spokeshave.slim.model import ON_REQUEST, Settings
from spokeshave.slim.spare import Attempt, spare_text

_KEPT = 20  # messages; one cause often has hundreds
SlimAgain = Callable[[Chosen, Settings, Spared], Chosen]
"""Slims a wheel anew with other settings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mend:
    """Slimming with these levers and spared modules, or the reason why PyPI's wheel is used (`restored`).

    `faults` are the first messages, whole.
    """

    restored: str = ""
    faults: tuple[str, ...] = ()
    levers: tuple[str, ...] = ()
    spared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    given_up: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """The wheels, how they compare, and what became of faulty ones, by project."""

    chosen: tuple[Chosen, ...]
    compared: Compared
    mends: Mapping[str, Mend] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mender:
    """Mends the wheels of a set, one after another."""

    context: Context
    settings: Settings
    slim_again: SlimAgain
    both: Both

    def mend_all(self, state: State) -> State:
        """The wheels without faults that one of them explains, each package after those that it requires.

        Faults of a package often come from one that it requires: only that one is mended, and those that
        depend on it are checked again.
        """
        while found := blame(state.compared.faults, state.chosen):
            project, faults = next(iter(found.items()))
            state = self._mend(state, project, faults)
        return state

    def _mend(self, state: State, project: str, faults: tuple[Fault, ...]) -> State:
        one = next(one for one in state.chosen if one.pick.project == project)
        mended = None if project in state.mends else self._with_text(state, one, faults)
        if mended is None:
            reason = one_line(faults[0].text)
            self.context.reporter.say(f"{project}: {reason}; PyPI's wheel is used as it is")
            mend = Mend(
                restored=f"the {one.tier} wheel does less: {reason}",
                faults=tuple(fault.text for fault in faults[:_KEPT]),
            )
            new = apply(self.slim_again, self.settings, one, mend)
            mended = self._exchange(state, new, dependents(requires_of(state.chosen), project) | {project})
        else:
            mend = mended.mends[project]
            self.context.reporter.say(f"{project}: {one_line(faults[0].text)}; modules have their text back")
            names = dependents(requires_of(state.chosen), project)
            if names:
                compared = self.both.compare(mended.chosen, names, mended.compared)
                mended = replace(mended, compared=compared)
        return replace(mended, mends={**state.mends, project: mend})

    def _with_text(self, state: State, one: Chosen, faults: tuple[Fault, ...]) -> State | None:
        """The state with a wheel whose modules keep text and have no fault; None where text is not why."""
        on = {
            row["name"] for row in one.record.get("levers", ()) if row["name"] in ON_REQUEST and row["files"]
        }
        if one.tier == "built" or not on or all(fault.kind == "requirement" for fault in faults):
            return None
        settings = replace(
            self.settings,
            levers=tuple(name for name in self.settings.levers if name in on or name not in ON_REQUEST),
        )

        # Those that depend on it are checked once its own faults are mended.
        own = tuple(fault for fault in faults if fault.project == one.pick.project) or faults
        projects = {fault.project for fault in own}

        def attempt(now: State, spared: Spared) -> Attempt[State]:
            blamed = blame(now.compared.faults, state.chosen).get(one.pick.project, ())
            mine = [fault for fault in blamed if fault.project in projects]
            suspects = tuple(row for fault in mine for row in suspects_of(fault, one, spared))
            return Attempt(result=now, faults=tuple(fault.text for fault in mine), suspects=suspects)

        def again(settings: Settings, spared: Spared) -> Attempt[State]:
            new = self.slim_again(one, settings, spared)
            now = self._exchange(state, new, {one.pick.project}, own)
            rows = {lever: tuple(sorted(names)) for lever, names in spared.items()}
            mend = Mend(levers=settings.levers, spared=rows)
            return attempt(replace(now, mends={one.pick.project: mend}), spared)

        first = attempt(state, {})
        found, given_up = spare_text(first, settings, again)
        if found.faults:
            return None
        mend = found.result.mends[one.pick.project]
        mend = replace(mend, given_up=tuple(row.to_json() for row in given_up))
        return _with_record(replace(found.result, mends={one.pick.project: mend}), mend, one)

    def _exchange(
        self, state: State, new: Chosen, projects: Iterable[str], faults: tuple[Fault, ...] = ()
    ) -> State:
        """The state with another wheel of a package; projects are checked again, others at these faults."""
        rows = [new if one.pick.project == new.pick.project else one for one in state.chosen]
        chosen = needed(rows)
        gone = [one.pick.project for one in rows if one not in chosen]
        with self.context.reporter.stage(f"checking {new.pick.project} again"):
            self.both.replace(new, gone)
            compared = self.both.compare(chosen, frozenset(projects), state.compared, faults)
        return replace(state, chosen=chosen, compared=compared)


def _with_record(state: State, mend: Mend, one: Chosen) -> State:
    rows = (_noted(row, mend) if row.pick.project == one.pick.project else row for row in state.chosen)
    return replace(state, chosen=tuple(rows))


def _noted(one: Chosen, mend: Mend) -> Chosen:
    levers = [*one.record.get("levers", ()), *mend.given_up]
    return replace(one, record={**one.record, "levers": levers}) if mend.given_up else one


def apply(slim_again: SlimAgain, settings: Settings, one: Chosen, mend: Mend) -> Chosen:
    """The wheel after a mend that is known."""
    if mend.restored:
        return replace(as_it_is(one.pick, one.stock, mend.restored), record={"faults": list(mend.faults)})
    spared = {lever: frozenset(names) for lever, names in mend.spared.items()}
    return _noted(slim_again(one, replace(settings, levers=mend.levers), spared), mend)


def suspects_of(fault: Fault, one: Chosen, spared: Spared) -> tuple[tuple[str, ...], ...]:
    """The modules of a wheel that a fault may be due to.

    A help text is due to the module of the entry point or, where that was spared, to others of its package.
    """
    if fault.kind != "command":
        return (fault.files,)
    known = frozenset(name for names in spared.values() for name in names)
    return tuple((name,) for name in help_sources(one.stock, fault.name, known))


def needed(wheels: Iterable[Chosen]) -> tuple[Chosen, ...]:
    """The wheels without those that PyPI's set does not have and none of them needs."""
    rows = tuple(wheels)
    wanted = {name for one in rows for name in one.requires}
    return tuple(one for one in rows if not one.extra or one.pick.project in wanted)
