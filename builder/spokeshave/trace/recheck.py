"""The recheck of a traced profile: the command runs again, on a copy of its packages without the removals.

A component that it asks for there is kept, even if it ends as before, and so is one that it fails without. It
runs again until it ends as it first did.
"""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from spokeshave.context import Context
from spokeshave.errors import TraceError
from spokeshave.recipes.schema import Profile
from spokeshave.removal.check import stack_recipes
from spokeshave.trace.evidence import is_loaded, is_read_unseen, unseen
from spokeshave.trace.overlay import needs_a_build
from spokeshave.trace.record import Recheck, Run
from spokeshave.trace.resolve import Verdict, components, resolve
from spokeshave.trace.session import Traced
from spokeshave.trace.trimmed_run import NO_RECHECK, Again, Impossible, Task, Wanted, control, run_trimmed

_LIMIT = 24  # runs; each keeps one component more at the least, and most ask for several at once
_ONE_BY_ONE = 12  # runs, before all that could be missed next is kept at once
_UNTRIED = "the recheck cannot remove it, since kept compiled code needs it or changes with it"
_UNREAD = "compilers read it, which no recheck notices"


def recheck(context: Context, wanted: Wanted, traced: Traced, environment: Mapping[str, str]) -> Run:
    """The run with what further runs of its command have shown: `Run.recheck`.

    `Recheck.fault` says why there is none, as for a command that does not end twice alike. Raises TraceError
    where it does not end as before even with all that it had loaded. It raises it too where the command asks
    for a component that the base profile removes, and Interrupted where the user stops it.
    """
    untried = _untried(context, traced.run)
    task = Task(context=context, wanted=wanted, traced=traced, environment=environment, untried=untried)
    try:
        _check(traced)
        found = _until_it_passes(task)
    except Impossible as fault:
        found = Recheck(fault=str(fault))
    return _with(traced.run, found)


def _until_it_passes(task: Task) -> Recheck:
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
        again = run_trimmed(task, going, number, log)
        _check_base(task.wanted.base, again)
        same = again.code == task.traced.run.exit_code
        if same and not again.asked:
            say(f"recheck {number}: the command ended as before, with exit code {again.code}")
            return found.model_copy(update={"times": number})
        if not same and not again.asked and not controlled:
            control(task)
            controlled = True
        more = _reasons(task, again)
        if not more or (number >= _ONE_BY_ONE and not same):
            more = {**_blamed(task, doubts, tried, again.code), **more}
        say(f"recheck {number}: exit code {again.code}; kept from now on: {', '.join(more)}")
        needed |= more
    raise TraceError(f"after {_LIMIT} further runs the command asks for more", next_step=NO_RECHECK)


def counted(names: Sequence[object]) -> str:
    """How many components, in words."""
    return f"{len(names)} component{'s' * (len(names) != 1)}"


def _with(run: Run, found: Recheck) -> Run:
    return run.model_copy(update={"recheck": found})


def _check(traced: Traced) -> None:
    """Raises Impossible where a further run cannot be compared with the first one."""
    if traced.reader_ended:  # without it, the command may do more, or never end
        raise Impossible("the reader of its output (such as `head`) ended before it")
    if traced.signals:
        raise Impossible(f"{signal.Signals(traced.signals[0]).name} ended the command")
    if _has_input():
        raise Impossible("its input is a pipe or a file, which it has read; without input, add < /dev/null")
    roots = dict(traced.roots)
    for name, root in traced.roots:
        if roots[name] != root:
            raise Impossible(f"its processes had {name} from several folders")


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
            if needs_a_build(part) and (part.variants or is_loaded(part, [run])):
                found[name] = _UNTRIED
            elif is_read_unseen(part, run):
                found[name] = _UNREAD
    return found


def _hoped(task: Task, needed: Mapping[str, str]) -> tuple[Verdict, ...]:
    """The verdicts if the command needed nothing but the components that it has asked for."""
    doubtful = {*needed, *task.untried}
    found = Recheck(
        without=tuple(name for name in components(task.context) if name not in doubtful),
        needed=dict(needed),
        untried=dict(task.untried),
    )
    runs = (*task.wanted.earlier, _with(task.traced.run, found))
    return resolve(task.context, task.wanted.base, task.wanted.target, runs).verdicts


def _kept_unseen(task: Task, hoped: Sequence[Verdict]) -> dict[str, str]:
    """Why components that the run does not show are kept: for kept modules that need them, mostly."""
    parts, run = components(task.context), task.traced.run
    return {one.component: one.why for one in hoped if not one.removed and unseen(parts[one.component], run)}


def _triable(task: Task) -> frozenset[str]:
    """The components that a copy of the traced packages can go without."""
    roots = dict(task.traced.roots)
    there = [one.recipe for one in stack_recipes(task.context) if one.recipe.import_name in roots]
    names = {f"{recipe.name}/{part.name}" for recipe in there for part in recipe.components}
    return frozenset(names - set(task.untried))


def _reasons(task: Task, again: Again) -> dict[str, str]:
    failed = again.code != task.traced.run.exit_code
    before = f"the command failed without it (exit code {again.code}): " if failed else ""
    return {name: f"{before}{why}" for name, why in again.asked.items()}


def _check_base(base: Profile, again: Again) -> None:
    removed = {row.component for row in base.remove}
    if lacking := [f"  {name}: {why}" for name, why in again.asked.items() if name in removed]:
        raise TraceError(
            f"profile {base.name!r} removes what the program uses:\n" + "\n".join(lacking),
            next_step="name another --profile to begin with, such as lean",
        )


def _doubts(task: Task) -> Iterator[tuple[AbstractSet[str], str]]:
    """The components to blame, one set after the other, for a failure that no stub shows; and their names."""
    parts, run = components(task.context), task.traced.run
    dark = {name for name, part in parts.items() if unseen(part, run) or not part.modules}
    yield dark, "components whose use is not visible"
    yield {name for name, part in parts.items() if is_loaded(part, [run])}, "components that it had loaded"


def _blamed(
    task: Task, doubts: Iterator[tuple[AbstractSet[str], str]], tried: Sequence[str], code: int
) -> dict[str, str]:
    for names, what in doubts:
        if blamed := [name for name in tried if name in names]:
            why = f"the command failed (exit code {code}) without {what}, this one among them"
            return dict.fromkeys(blamed, why)
    raise TraceError(
        f"the command ends with exit code {code} where its first run ended with {task.traced.run.exit_code}, "
        "though all that it had loaded is there",
        next_step=NO_RECHECK,
    )
