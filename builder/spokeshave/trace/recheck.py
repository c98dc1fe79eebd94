"""The proof of a traced profile: the command runs once more, on a copy of its packages without what goes.

What it asks for there, be it in vain and without complaint, is kept, and so is what it fails without; it runs
again until it ends as it first did.
"""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import Interrupted, NothingRecorded, PatchError, TraceError
from spokeshave.inside.model import Target
from spokeshave.recipes.schema import Profile
from spokeshave.removal.check import owner_of, removed_modules, stack_recipes
from spokeshave.trace.evidence import is_loaded, is_read_unseen, unseen
from spokeshave.trace.inject import open_place, run_recorded
from spokeshave.trace.overlay import changes_compiled_code, lay_over, without
from spokeshave.trace.record import Lines, Recheck, Run
from spokeshave.trace.resolve import Verdict, components, resolve, taking_out
from spokeshave.trace.session import Traced, losses, watch

_LIMIT = 24  # runs; each keeps one component more at the least, and most ask for several at once
_ONE_BY_ONE = 12  # runs, before all that could be missed next is kept at once
_UNTRIED = "the recheck cannot remove it, since its patch changes compiled code"
_UNREAD = "compilers read it, which no recheck notices"
_NO_RECHECK = (
    "give --no-recheck where the command cannot be run twice: all whose use is not visible is then kept"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The profile asked for: what it extends, for which target, and the earlier runs that count too."""

    base: Profile
    target: Target
    earlier: tuple[Run, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """What every further run has in common; `untried` says of components why the copy keeps them."""

    context: Context
    wanted: Wanted
    traced: Traced
    environment: Mapping[str, str]
    untried: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Again:
    """One further run: its exit code, the components that it asked for, and how."""

    code: int
    asked: Mapping[str, str]


def recheck(context: Context, wanted: Wanted, traced: Traced, environment: Mapping[str, str]) -> Run:
    """The run with what further runs of its command have shown: `Run.recheck`.

    `Recheck.fault` says why there is none, as for a command that does not end twice alike. Raises TraceError
    where it does not end as before even with all that it had loaded, and where it asks for what the base
    profile leaves out, and Interrupted where the user stops it.
    """
    untried = _untried(context, traced.run)
    task = _Task(context=context, wanted=wanted, traced=traced, environment=environment, untried=untried)
    try:
        _check(traced)
        found = _until_it_passes(task)
    except _Impossible as fault:
        found = Recheck(fault=str(fault))
    return _with(traced.run, found)


class _Impossible(Exception):
    """The command cannot be run again to any use; the message says why."""


def _until_it_passes(task: _Task) -> Recheck:
    say, needed = task.context.reporter.say, dict[str, str]()
    doubts, controlled, triable = _doubts(task), False, _triable(task)
    for number in range(1, _LIMIT + 1):
        hoped = _hoped(task, needed)
        going = tuple(one.component for one in hoped if one.removed)
        tried = [name for name in going if name in triable]
        untried = {**_kept_unseen(task, hoped), **task.untried}
        found = Recheck(times=number - 1, without=tuple(tried), needed=needed, untried=untried)
        if not tried:
            return found
        log = task.context.logs / f"recheck-{number}.log"
        say(f"recheck {number}: running the command without {counted(tried)}; its output is in {log}")
        again = _run_again(task, going, number, log)
        _check_base(task.wanted.base, again)
        same = again.code == task.traced.run.exit_code
        if same and not again.asked:
            say(f"recheck {number}: the command ended as before, with exit code {again.code}")
            return found.model_copy(update={"times": number})
        if not same and not again.asked and not controlled:
            _control(task)
            controlled = True
        more = _reasons(task, again)
        if not more or (number >= _ONE_BY_ONE and not same):
            more = {**_blamed(task, doubts, tried, again.code), **more}
        say(f"recheck {number}: exit code {again.code}; kept from now on: {', '.join(more)}")
        needed |= more
    raise TraceError(f"after {_LIMIT} further runs the command asks for more", next_step=_NO_RECHECK)


def _control(task: _Task) -> None:
    """Raises _Impossible where the command does not even end as before with all its packages in place."""
    context, first = task.context, task.traced.run.exit_code
    log = context.logs / "recheck-control.log"
    context.reporter.say(f"recheck: running the command with nothing removed; its output is in {log}")
    code, _ = _rerun(task, task.environment, "control", log)
    if code != first:
        raise _Impossible(
            f"the command does not end twice alike: with exit code {first}, then {code} with nothing removed"
        )


def _rerun(task: _Task, environment: Mapping[str, str], name: str, log: Path) -> tuple[int, Lines]:
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
        raise TraceError(f"recheck {name}: {fault.what}", next_step=_NO_RECHECK) from fault
    if stopped:
        raise _interrupted(context)
    return code, lines


def counted(names: Sequence[object]) -> str:
    """How many components, in words."""
    return f"{len(names)} component{'s' * (len(names) != 1)}"


def _with(run: Run, found: Recheck) -> Run:
    return run.model_copy(update={"recheck": found})


def _check(traced: Traced) -> None:
    if traced.signals:
        raise _Impossible(f"{signal.Signals(traced.signals[0]).name} ended the command")
    if _has_input():
        raise _Impossible("its input is a pipe or a file, which it has read; without input, add < /dev/null")
    roots = dict(traced.roots)
    for name, root in traced.roots:
        if roots[name] != root:
            raise _Impossible(f"its processes had {name} from several places")


def _has_input() -> bool:
    """Whether standard input is neither a terminal nor /dev/null."""
    try:
        return not stat.S_ISCHR(os.fstat(0).st_mode)
    except OSError:  # closed
        return False


def _untried(context: Context, run: Run) -> dict[str, str]:
    found = {}
    for loaded in stack_recipes(context):
        for part in loaded.recipe.components:
            name = f"{loaded.recipe.name}/{part.name}"
            if changes_compiled_code(loaded, part) and is_loaded(part, [run]):
                found[name] = _UNTRIED
            elif is_read_unseen(part, run):
                found[name] = _UNREAD
    return found


def _hoped(task: _Task, needed: Mapping[str, str]) -> tuple[Verdict, ...]:
    """What would go, and why the rest stays, if the command did without all that it has not asked for."""
    doubtful = {*needed, *task.untried}
    found = Recheck(
        without=tuple(name for name in components(task.context) if name not in doubtful),
        needed=dict(needed),
        untried=dict(task.untried),
    )
    runs = (*task.wanted.earlier, _with(task.traced.run, found))
    return resolve(task.context, task.wanted.base, task.wanted.target, runs).verdicts


def _kept_unseen(task: _Task, hoped: Sequence[Verdict]) -> dict[str, str]:
    """Why components that the run does not show are kept: for kept modules that need them, mostly."""
    parts, run = components(task.context), task.traced.run
    return {one.component: one.why for one in hoped if not one.removed and unseen(parts[one.component], run)}


def _triable(task: _Task) -> frozenset[str]:
    """The components that a copy of the traced packages can go without."""
    roots = dict(task.traced.roots)
    there = [one.recipe for one in stack_recipes(task.context) if one.recipe.import_name in roots]
    names = {f"{recipe.name}/{part.name}" for recipe in there for part in recipe.components}
    return frozenset(names - set(task.untried))


def _run_again(task: _Task, going: Sequence[str], number: int, log: Path) -> _Again:
    """Runs the command on a copy without these components, nor those that the base profile leaves out."""
    context, traced = task.context, task.traced
    profile = taking_out(task.wanted.base, going)
    profile = without(profile, {row.component for row in profile.remove} - set(task.untried))
    with open_place() as work:
        site = work / "site"
        try:
            with context.reporter.stage(f"recheck {number}: copying the packages"):
                lay_over(context, profile, task.wanted.target, dict(traced.roots), site)
        except PatchError as fault:
            raise _Impossible(f"removals cannot be simulated on the traced packages: {fault.what}") from fault
        path = os.pathsep.join([str(site), *filter(None, [task.environment.get("PYTHONPATH")])])
        code, lines = _rerun(task, {**task.environment, "PYTHONPATH": path}, str(number), log)
        _check_lines(lines, site)
        removed = removed_modules(context, profile)
        asked = _asked(lines, removed)
        if code == traced.run.exit_code and not asked:
            _check_extent(traced.run, lines, removed)
        return _Again(code=code, asked=asked)


def _check_extent(first: Run, lines: Lines, removed: Mapping[str, str]) -> None:
    """Raises _Impossible where the program did not even import what it had imported, and is still there."""
    again = {load.module for load in lines.loads}
    wanted = (one.module for one in first.loads if one.moment == "program" and one.kind != "stub")
    if less := [name for name in wanted if name not in again and owner_of(name, removed) is None]:
        raise _Impossible(f"the command did less than before: it did not import {less[0]}")


def _check_lines(lines: Lines, site: Path) -> None:
    """Raises _Impossible where the run says nothing of the copy, or may have met stubs that nobody saw."""
    for _, root in lines.roots:
        if Path(root).parent.resolve() != site.resolve():
            raise _Impossible(f"the command finds {root} by itself, whatever PYTHONPATH says")
    if lost := losses(lines):
        raise _Impossible(f"not all of it was recorded: {lost[0]}")


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


def _reasons(task: _Task, again: _Again) -> dict[str, str]:
    failed = again.code != task.traced.run.exit_code
    before = f"the command failed without it (exit code {again.code}): " if failed else ""
    return {name: f"{before}{why}" for name, why in again.asked.items()}


def _check_base(base: Profile, again: _Again) -> None:
    gone = {row.component for row in base.remove}
    if lacking := [f"  {name}: {why}" for name, why in again.asked.items() if name in gone]:
        raise TraceError(
            f"profile {base.name!r} leaves out what the program uses:\n" + "\n".join(lacking),
            next_step="name another --profile to begin with, such as lean",
        )


def _doubts(task: _Task) -> Iterator[tuple[AbstractSet[str], str]]:
    """Whom to blame by turns for a failure that no stub tells of, and how that is said."""
    parts, run = components(task.context), task.traced.run
    dark = {name for name, part in parts.items() if unseen(part, run) or not part.modules}
    yield dark, "components whose use is not visible"
    yield {name for name, part in parts.items() if is_loaded(part, [run])}, "components that it had loaded"


def _blamed(
    task: _Task, doubts: Iterator[tuple[AbstractSet[str], str]], tried: Sequence[str], code: int
) -> dict[str, str]:
    for names, what in doubts:
        if blamed := [name for name in tried if name in names]:
            why = f"the command failed (exit code {code}) without {what}, this one among them"
            return dict.fromkeys(blamed, why)
    raise TraceError(
        f"the command ends with exit code {code} where its first run ended with {task.traced.run.exit_code}, "
        "though all that it had loaded is in place",
        next_step=_NO_RECHECK,
    )
