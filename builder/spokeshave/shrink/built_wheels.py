"""Which PyPI wheels are replaced by wheels that spokeshave built, and the wheels that those need."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

from spokeshave.context import Context
from spokeshave.inside.model import Target, is_of_profile
from spokeshave.inside.sizes import sizes
from spokeshave.shrink.fetching import fetch_all
from spokeshave.shrink.model import Chosen, Pick, ShrinkRequest
from spokeshave.shrink.offers import Offer, Source
from spokeshave.shrink.resolving import target_tags


def find_built(
    context: Context, request: ShrinkRequest, picks: Mapping[Pick, Path], sources: Sequence[Source]
) -> tuple[tuple[Chosen, ...], dict[str, str]]:
    """The built wheels of the profile for the picked versions, with the wheels that they need.

    Returns also why a built wheel cannot be used, by project.
    """
    search = _Search(
        context=context,
        profile=context.book.profile(request.profile).name,
        target=request.target,
        sources=tuple(sources),
    )
    known = frozenset(pick.project for pick in picks)
    found: dict[str, Chosen] = {}
    refused: dict[str, str] = {}
    for pick, path in picks.items():
        if pick.project in request.untouched or not (offer := search.best(pick)):
            continue
        wheel = search.file(offer)
        needs, lacking = search.needs(wheel, known)
        if lacking:
            refused[pick.project] = f"the built wheel needs {lacking}, which is not available"
            continue
        found[pick.project] = _replacing(pick, path, offer, wheel, tuple(needs))
        for name, one in needs.items():
            found.setdefault(name, added(context, one))
    return tuple(found.values()), refused


@dataclass(frozen=True, kw_only=True, slots=True)
class _Search:
    """Built wheels of one profile that the target can install."""

    context: Context
    profile: str
    target: Target
    sources: tuple[Source, ...]

    def best(self, pick: Pick) -> Offer | None:
        """The wheel of the picked version with the highest build number, from the first source with one."""
        for source in self.sources:
            fitting = [
                one
                for one in fitting_offers((source,), pick.project, self.target)
                if one.pick.version.public == pick.version.public
                and is_of_profile(str(one.pick.version), self.profile)
            ]
            if fitting:
                return max(fitting, key=lambda one: one.pick.version)
        return None

    def file(self, offer: Offer) -> Path:
        """The wheel in the store, checked by its hash."""
        return fetch_all(self.context, [offer.pick])[offer.pick.sha256]

    def needs(self, wheel: Path, known: frozenset[str]) -> tuple[dict[str, Offer], str]:
        """The wheels that a built one requires besides PyPI's set, by project; or what is not available.

        These have local versions, which no public index has.
        """
        found: dict[str, Offer] = {}
        for one in requirements_of(wheel):
            name = canonicalize_name(one.name)
            if name in known or not any("+" in specifier.version for specifier in one.specifier):
                continue
            offers = fitting_offers(self.sources, name, self.target)
            fitting = [x for x in offers if one.specifier.contains(x.pick.version)]
            if not fitting:
                return {}, str(one)
            found[name] = fitting[0]
        return found, ""


def fitting_offers(sources: Iterable[Source], project: NormalizedName, target: Target) -> list[Offer]:
    """The wheels of a project that the target can install, in the order of the sources."""
    tags = frozenset(target_tags(target))
    offers = (offer for source in sources for offer in source.offers(project))
    return [one for one in offers if parse_wheel_filename(one.pick.filename)[3] & tags]


def requirements_of(wheel: Path) -> tuple[Requirement, ...]:
    """The requirements of a wheel that hold without extras."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        headers = BytesParser(policy=compat32).parsebytes(archive.read(name), headersonly=True)
    rows = (Requirement(str(text)) for text in headers.get_all("Requires-Dist", ()))
    return tuple(row for row in rows if not (row.marker and "extra" in str(row.marker)))


def _replacing(pick: Pick, path: Path, offer: Offer, wheel: Path, requires: tuple[str, ...]) -> Chosen:
    return Chosen(
        pick=pick,
        stock=path,
        wheel=wheel,
        sha256=offer.pick.sha256,
        tier="built",
        why=f"verified at level {offer.level}" if offer.level else "built from its recipe",
        before=sizes(path).unpacked,
        after=sizes(wheel).unpacked,
        requires=requires,
        level=offer.level,
    )


def added(context: Context, offer: Offer) -> Chosen:
    """A wheel that PyPI's set does not have, and that others need."""
    wheel = fetch_all(context, [offer.pick])[offer.pick.sha256]
    return Chosen(
        pick=offer.pick,
        stock=wheel,
        wheel=wheel,
        sha256=offer.pick.sha256,
        tier="built",
        why="other wheels share it",
        before=0,
        after=sizes(wheel).unpacked,
        extra=True,
        level=offer.level,
    )
