"""Writes a traced profile: for people first, so each component says why it is removed or kept.

The reason of a removal is part of the messages of its stubs, and so of the wheel's key. It names neither the
command nor the date: a trace with the same result gives the same wheels. These stand once, under [trace].
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

from spokeshave.recipes.schema import TRACED
from spokeshave.trace.record import Run
from spokeshave.trace.resolve import Resolution, Verdict
from spokeshave.trace.session import shown


def profile_text(name: str, resolution: Resolution, runs: Sequence[Run], notes: Sequence[str] = ()) -> str:
    """The profile as TOML; `notes` are printed in its head."""
    return "\n".join(_lines(name, resolution, runs, notes)) + "\n"


def _lines(name: str, resolution: Resolution, runs: Sequence[Run], notes: Sequence[str]) -> Iterator[str]:
    yield "# Written by `spokeshave trace` from what a program used of the stack; yours to edit."
    yield f"# `spokeshave plan --all --profile {name}.toml` checks that no kept module needs what is removed."
    yield from (f"# Note: {_clean(note)}" for note in notes)
    yield "# MB are 10^6 bytes of code and data as installed there, without tests; built wheels have less."
    times = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    yield from ("schema = 1", f"name = {_quoted(name)}", f"extends = {_quoted(resolution.base)}")
    yield from (
        "draft = true",
        f"summary = {_quoted(f'{resolution.base}, and only what a program used in {times}')}",
    )
    yield from _trace(resolution, runs)
    for package, verdicts in groupby(resolution.verdicts, key=_package):
        yield from _removals(package, list(verdicts))


def _package(one: Verdict) -> str:
    return one.component.partition("/")[0]


def _trace(resolution: Resolution, runs: Sequence[Run]) -> Iterator[str]:
    """The runs, and why components are kept; no key of a wheel holds these."""
    for run in runs:
        versions = ", ".join(f"{key} {' and '.join(value)}" for key, value in sorted(run.versions.items()))
        yield "\n[[trace.runs]]"
        yield f"date = {_quoted(run.date[:10])}"
        yield f"command = {_quoted(shown(run.command))}"
        yield (
            f"# exit code {run.exit_code}, {run.processes} process{'es' * (run.processes != 1)}, "
            f"{_modules(run)} modules; Python {', '.join(run.pythons)}, {versions}"
        )
        yield f"# {_recheck(run)}"
    if kept := [one for one in resolution.verdicts if not one.removed]:
        yield "\n[trace.kept]"
        yield from (f"{_quoted(one.component)} = {_quoted(one.why)}  # {_mb(one)}" for one in kept)


def _removals(package: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    removed = [one for one in verdicts if one.removed]
    weight = sum(one.weight for one in removed)
    yield f"\n# {package}: {len(removed)} of {len(verdicts)} components are removed, {weight / 1e6:.2f} MB."
    for one in removed:
        yield f"\n[[remove]]  # {_mb(one)}"
        yield f"component = {_quoted(one.component)}"
        yield f"reason = {_quoted(f'{TRACED}{one.why}')}"


def _recheck(run: Run) -> str:
    """Whether the command has run without the removed components."""
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
    return f"{one.weight / 1e6:.2f} MB" if one.weight else "size not known"


def _modules(run: Run) -> int:
    return len({load.module for load in run.loads})


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _quoted(text: str) -> str:
    """A basic string of TOML: of printable characters alone, JSON writes the same."""
    return json.dumps(_clean(text), ensure_ascii=False)
