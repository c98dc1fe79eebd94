"""One further run of a traced command, on a copy of its packages without some components."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import Interrupted, NothingRecorded, PatchError, TraceError
from spokeshave.inside.model import Target
from spokeshave.recipes.schema import Profile
from spokeshave.removal.check import owner_of, removed_modules
from spokeshave.trace.inject import open_folder, run_recorded
from spokeshave.trace.overlay import lay_over, without
from spokeshave.trace.record import Lines, Run
from spokeshave.trace.resolve import with_removals
from spokeshave.trace.session import Traced, losses, watch

NO_RECHECK = (
    "give --no-recheck where the command cannot be run twice: all whose use is not visible is then kept"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The profile asked for: what it extends, for which target, and the earlier runs that count too."""

    base: Profile
    target: Target
    earlier: tuple[Run, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """The facts of all further runs; `untried` maps components that the copy keeps to the reason."""

    context: Context
    wanted: Wanted
    traced: Traced
    environment: Mapping[str, str]
    untried: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """One further run: its exit code, the components that it asked for, and how."""

    code: int
    asked: Mapping[str, str]


class Impossible(Exception):
    """A further run of the command would show nothing; the message says why."""


def control(task: Task) -> None:
    """Raises Impossible where the command does not even end as before with all its packages."""
    context, first = task.context, task.traced.run.exit_code
    log = context.logs / "recheck-control.log"
    context.reporter.say(f"recheck: running the command with nothing removed; its output is in {log}")
    code, _ = _rerun(task, task.environment, "control", log)
    if code != first:
        raise Impossible(
            f"the command does not end twice alike: with exit code {first}, then {code} with nothing removed"
        )


def _rerun(task: Task, environment: Mapping[str, str], name: str, log: Path) -> tuple[int, Lines]:
    """Runs the command once more; its exit code and what was recorded. Raises Interrupted for Ctrl-C."""
    context, stopped = task.context, list[int]()
    try:
        code, lines = run_recorded(
            task.traced.run.command,
            environment,
            replace(watch(context), calls=False),
            context.logs / f"recheck-{name}",
            output=log,
            on_signal=stopped.append,
        )
    except NothingRecorded as fault:
        raise TraceError(f"recheck {name}: {fault.what}", next_step=NO_RECHECK) from fault
    if stopped:
        raise _interrupted(context)
    return code, lines


def run_trimmed(task: Task, going: Sequence[str], number: int, log: Path) -> Again:
    """Runs the command on a copy without these components and those that the base profile removes."""
    context, traced = task.context, task.traced
    profile = with_removals(task.wanted.base, going)
    profile = without(profile, {row.component for row in profile.remove} - set(task.untried))
    with open_folder() as work:
        site = work / "site"
        try:
            with context.reporter.stage(f"recheck {number}: copying the packages"):
                lay_over(context, profile, task.wanted.target, dict(traced.roots), site)
        except PatchError as fault:
            raise Impossible(f"removals cannot be simulated on the traced packages: {fault.what}") from fault
        path = os.pathsep.join([str(site), *filter(None, [task.environment.get("PYTHONPATH")])])
        code, lines = _rerun(task, {**task.environment, "PYTHONPATH": path}, str(number), log)
        _check_lines(lines, site)
        removed = removed_modules(context, profile)
        asked = _asked(lines, removed)
        if code == traced.run.exit_code and not asked:
            _check_extent(traced.run, lines, removed)
        return Again(code=code, asked=asked)


def _check_extent(first: Run, lines: Lines, removed: Mapping[str, str]) -> None:
    """Raises Impossible where the program did not even import what it had imported, and is still there."""
    again = {load.module for load in lines.loads}
    wanted = (one.module for one in first.loads if one.moment == "program" and one.kind != "stub")
    if less := [name for name in wanted if name not in again and owner_of(name, removed) is None]:
        raise Impossible(f"the command did less than before: it did not import {less[0]}")


def _check_lines(lines: Lines, site: Path) -> None:
    """Raises Impossible where the run says nothing of the copy, or may have met stubs that nobody saw."""
    for _, root in lines.roots:
        if Path(root).parent.resolve() != site.resolve():
            raise Impossible(f"the command finds {root} by itself, whatever PYTHONPATH says")
    if lost := losses(lines):
        raise Impossible(f"not all of it was recorded: {lost[0]}")


def _interrupted(context: Context) -> Interrupted:
    saved = context.logs / "trace.json"
    return Interrupted(
        "the recheck was interrupted",
        next_step=f"the first run is recorded in {saved}: `spokeshave trace --record {saved} --output"
        " NAME.toml` writes the profile from it, and keeps all whose use is not visible",
    )


def _asked(lines: Lines, removed: Mapping[str, str]) -> dict[str, str]:
    """The components whose stubs the run has met outside the loading of the stack's own modules."""
    asked = {
        load.module: f"{load.importer or 'the program'} asked for {load.module} in the recheck"
        for load in lines.loads
        if load.kind == "stub" and load.moment != "loading"
    }
    for message in lines.touched:
        module = message.partition(" ")[0]
        asked.setdefault(module, f"{module} was used in the recheck")
    owners = {module: owner_of(module, removed) for module in asked}
    return {owner: asked[module] for module, owner in owners.items() if owner}
