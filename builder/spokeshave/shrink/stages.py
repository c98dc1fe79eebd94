"""The stages of `shrink` in their order: resolve, fetch, choose, check, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from spokeshave.context import Context
from spokeshave.errors import UsageFault
from spokeshave.shrink.built_wheels import find_built
from spokeshave.shrink.fetching import fetch_all
from spokeshave.shrink.mending import SlimAgain, needed
from spokeshave.shrink.model import Chosen, Pick, Resolved, ShrinkRequest
from spokeshave.shrink.notes import Note, notes_of
from spokeshave.shrink.offers import sources_of
from spokeshave.shrink.output_folder import write_results
from spokeshave.shrink.resolving import resolve
from spokeshave.shrink.shared_library import find_library, know
from spokeshave.shrink.tiers import as_it_is, slim_all_wheels
from spokeshave.shrink.verdicts import Verdict, verify_set
from spokeshave.slim.knowledge import check_wish, shared_blas, with_library
from spokeshave.slim.levers import Spared
from spokeshave.slim.model import Settings
from spokeshave.slim.rules import with_profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Shrunk:
    """The result: each wheel of the index, and the files that were written."""

    resolved: Resolved
    verdict: Verdict
    files: tuple[Path, ...]

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes of the levers, largest first."""
        return notes_of({"package": one.pick.project, **one.record} for one in self.chosen)

    @property
    def chosen(self) -> tuple[Chosen, ...]:
        return self.verdict.chosen


def shrink(context: Context, request: ShrinkRequest) -> Shrunk:
    """Writes an index of the smallest available wheels of all that the inputs install on the target.

    Raises UsageFault where the inputs have no solution or no wheel, and what the stages raise.
    """
    with context.store.scratch() as scratch:
        with context.reporter.stage(f"resolving for {request.target.identifier}"):
            resolved = resolve(context, request, scratch)
        if not resolved.picks:
            raise UsageFault("the inputs install no wheel on this target", next_step="name requirements")
        request = _with_knowledge(context, request, scratch)
        files = fetch_all(context, resolved.picks)
        wheels = {pick: files[pick.sha256] for pick in resolved.picks}
        verdict = verify_set(context, request, *_choose(context, request, wheels))
        with context.reporter.stage(f"writing {request.output}"):
            written = write_results(context, request, resolved, verdict)
    return Shrunk(resolved=resolved, verdict=verdict, files=written)


def _with_knowledge(context: Context, request: ShrinkRequest, scratch: Path) -> ShrinkRequest:
    """The request with the wheel of a shared BLAS that was named, and with its profile's removals by rules.

    Raises RemovalRefused or RecipeError for what may not be removed.
    """
    check_wish(context, request.knowledge, request.target)
    settings = with_profile(context.book, request.settings, request.knowledge.wish.profile)
    knowledge = with_library(context, request.knowledge, request.target, scratch)
    return replace(request, settings=settings, knowledge=knowledge)


def _choose(
    context: Context, request: ShrinkRequest, wheels: Mapping[Pick, Path]
) -> tuple[tuple[Chosen, ...], SlimAgain]:
    """The wheel of the best available tier for each pick, and the wheels that these need, by project.

    Also returns what slims one of them anew.
    """
    blas = canonicalize_name(shared_blas(context.book))
    sources = sources_of(context, request, (*(pick.project for pick in wheels), blas))
    built, refused = find_built(context, request, wheels, sources if request.built else ())
    for project, why in refused.items():
        context.reporter.say(f"{project}: {why}")
    taken = {one.pick.project for one in built}
    rest = {pick: path for pick, path in wheels.items() if pick.project not in taken}
    kept = [
        as_it_is(pick, path, "--as-it-is names it")
        for pick, path in rest.items()
        if pick.project in request.untouched
    ]
    library = find_library(context, request, sources, built)
    slim_all = partial(
        slim_all_wheels,
        context,
        know=partial(know, context, request, library),
        library=library.sha256 if library else "",
    )
    slimmed = slim_all(
        {pick: path for pick, path in rest.items() if pick.project not in request.untouched},
        settings=request.settings,
    )

    def again(one: Chosen, settings: Settings, spared: Spared) -> Chosen:
        return slim_all({one.pick: one.stock}, settings=settings, spared=spared)[0]

    shared = [library] if library and library not in built else []
    return needed(sorted((*built, *shared, *slimmed, *kept), key=lambda one: one.pick.project)), again
