"""The text of a traced profile: for people first, so each component says why it stays or goes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from spokeshave.tracing.record import Run
from spokeshave.tracing.resolve import Resolution, Verdict
from spokeshave.tracing.session import shown

_COMMANDS = 3


def profile_text(name: str, resolution: Resolution, runs: Sequence[Run], notes: Sequence[str] = ()) -> str:
    """The profile as TOML; `notes` are told in its head."""
    return "\n".join(_lines(name, resolution, runs, notes)) + "\n"


def _lines(name: str, resolution: Resolution, runs: Sequence[Run], notes: Sequence[str]) -> Iterator[str]:
    yield "# Written by `spokeshave trace` from what a program used of the stack; yours to edit."
    yield f"# `spokeshave plan --all --profile {name}.toml` checks that no kept module needs what goes."
    for number, run in enumerate(runs, 1):
        versions = ", ".join(f"{key} {' and '.join(value)}" for key, value in sorted(run.versions.items()))
        yield f"# Run {number}, {run.date[:10]}: {shown(run.command, 80)}"
        yield (
            f"#   exit code {run.exit_code}, {run.processes} process{'es' * (run.processes != 1)}, "
            f"{_modules(run)} modules; Python {', '.join(run.pythons)}, {versions}"
        )
        yield f"#   {_proof(run)}"
    yield from (f"# Note: {_clean(note)}" for note in notes)
    yield "# MB are 10^6 bytes of code and data as installed there, without tests; built wheels have less."
    times = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    yield from ("schema = 1", f"name = {_quoted(name)}", f"extends = {_quoted(resolution.base)}")
    yield from (
        "draft = true",
        f"summary = {_quoted(f'{resolution.base}, and only what a program used in {times}')}",
    )
    told = f"{times} ({_commands(runs)})"
    for package, verdicts in groupby(resolution.verdicts, key=lambda one: one.component.partition("/")[0]):
        yield from _package(package, list(verdicts), told)


def _package(package: str, verdicts: Sequence[Verdict], told: str) -> Iterator[str]:
    gone = [one for one in verdicts if one.removed]
    kept = [one for one in verdicts if not one.removed]
    weight = sum(one.weight for one in gone)
    yield f"\n# {package}: {len(gone)} of {len(verdicts)} components go, {weight / 1e6:.2f} MB."
    for one in kept:
        yield f"# kept: {one.component} ({_mb(one)}): {_clean(one.why)}"
    for one in gone:
        yield f"\n[[remove]]  # {_mb(one)}"
        yield f"component = {_quoted(one.component)}"
        yield f"reason = {_quoted(f'{one.why} in {told}')}"


def _proof(run: Run) -> str:
    """Whether the command has run without what goes."""
    found = run.recheck
    if found is None or found.fault:
        why = f" ({_clean(found.fault)})" if found else ""
        return f"no recheck ran{why}: what is loaded and whose use is not visible is kept"
    if not found.without:
        return "recheck: none of the packages that it loaded loses a component"
    return (
        f"recheck: it ended with exit code {run.exit_code} again without {len(found.without)} of the "
        f"components, "
        f"in run {found.times + 1} of it"
    )


def _mb(one: Verdict) -> str:
    return f"{one.weight / 1e6:.2f} MB" if one.weight else "not weighed"


def _modules(run: Run) -> int:
    return len({load.module for load in run.loads})


def _commands(runs: Sequence[Run]) -> str:
    names = list(dict.fromkeys(shown(run.command) for run in runs))
    more = [f"and {len(names) - _COMMANDS} more"] if len(names) > _COMMANDS else []
    return "; ".join([*names[:_COMMANDS], *more])


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _quoted(text: str) -> str:
    """A basic string of TOML: of printable characters alone, JSON writes the same."""
    return json.dumps(_clean(text), ensure_ascii=False)
