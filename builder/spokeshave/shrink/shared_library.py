"""The shared BLAS of a set of wheels: one wheel for all, since an install has one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from packaging.utils import canonicalize_name

from spokeshave.context import Context
from spokeshave.inside.model import file_sha256
from spokeshave.shrink.built_wheels import added, fitting_offers
from spokeshave.shrink.model import Chosen, ShrinkRequest
from spokeshave.shrink.offers import Offer, Source, pick_of
from spokeshave.slim.blas_library import available, read_library
from spokeshave.slim.knowledge import known_of, shared_blas
from spokeshave.slim.make_wheel import Known
from spokeshave.slim.model import Stock


def find_library(
    context: Context, request: ShrinkRequest, sources: Sequence[Source], built: Iterable[Chosen]
) -> Chosen | None:
    """The wheel that built wheels need, else the named one, else one of the sources or the store, if any."""
    project = canonicalize_name(shared_blas(context.book))
    if needed := [one for one in built if one.pick.project == project]:
        return needed[0]
    offers = [] if request.knowledge.blas else fitting_offers(sources, project, request.target)
    if offers:
        return added(context, offers[0])
    wheels = available(context, project, request.knowledge.blas, request.output)
    fitting = (one.wheel for one in wheels if one.name.platform.endswith(request.target.arch))
    if path := next(fitting, None):
        return added(context, Offer(pick=pick_of(path, file_sha256(path))))
    return None


def know(context: Context, request: ShrinkRequest, library: Chosen | None, stock: Stock) -> Known:
    """The recipe and the rules of a wheel, and the library; it can be pickled."""
    known = known_of(context, request.knowledge, stock, request.settings, request.output)
    shared = (read_library(library.wheel),) if library else ()
    return Known(recipe=known.recipe, rules=known.rules, libraries=partial(tuple, shared))
