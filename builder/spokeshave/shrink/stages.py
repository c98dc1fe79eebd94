"""The stages of `shrink` in their order: resolve, fetch, choose, check, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import UsageFault
from spokeshave.shrink.fetching import fetch_all
from spokeshave.shrink.model import Chosen, Resolved, ShrinkRequest
from spokeshave.shrink.resolving import resolve
from spokeshave.shrink.results import write_results
from spokeshave.shrink.tiers import as_it_is, slim_all_wheels


@dataclass(frozen=True, kw_only=True, slots=True)
class Shrunk:
    """The result: each wheel of the index, and the files that were written."""

    resolved: Resolved
    chosen: tuple[Chosen, ...]
    files: tuple[Path, ...]


def shrink(context: Context, request: ShrinkRequest) -> Shrunk:
    """Writes an index of the smallest available wheels of all that the inputs install on the target.

    Raises UsageFault where the inputs have no solution or no wheel, and what the stages raise.
    """
    with context.store.scratch() as scratch:
        with context.reporter.stage(f"resolving for {request.target.identifier}"):
            resolved = resolve(context, request, scratch)
    if not resolved.picks:
        raise UsageFault("the inputs install no wheel on this target", next_step="name requirements")
    files = fetch_all(context, resolved.picks)
    untouched = [pick for pick in resolved.picks if pick.project in request.untouched]
    slimmed = slim_all_wheels(
        context,
        {pick: files[pick.sha256] for pick in resolved.picks if pick not in untouched},
        settings=request.settings,
        target=request.target,
    )
    kept = (as_it_is(pick, files[pick.sha256], "--as-it-is names it") for pick in untouched)
    chosen = tuple(sorted((*slimmed, *kept), key=lambda one: one.pick.project))
    with context.reporter.stage(f"writing {request.output}"):
        written = write_results(
            context, request.output, chosen, resolved.left, target=request.target, levels={}
        )
    return Shrunk(resolved=resolved, chosen=chosen, files=written)
