"""Wheels that spokeshave built and that are available: in folders, in indexes, in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import httpx2
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename
from unearth import PackageFinder
from unearth.fetchers import Fetcher

from spokeshave.build.pipeline import build, environment, make_trained_plans
from spokeshave.context import Context, Request
from spokeshave.errors import NetworkError, SpokeshaveError, UsageFault
from spokeshave.inside.model import BuildPlan, Environment, Target, file_sha256
from spokeshave.publish.folder import STATE, IndexFolder
from spokeshave.publish.release import read_release
from spokeshave.shrink.model import Pick, ShrinkRequest
from spokeshave.sources.client import connect, read_pip_settings, retrying


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A built wheel: where it is, and the level of its verification, None where that is not known."""

    pick: Pick
    level: str | None = None


class Source(Protocol):
    """Knows built wheels of projects."""

    def offers(self, project: NormalizedName) -> Iterable[Offer]:
        """The wheels of a project, of any version and target."""
        ...


def sources_of(
    context: Context, request: ShrinkRequest, wanted: Iterable[NormalizedName]
) -> tuple[Source, ...]:
    """The named folders and indexes in their order, then the store, with the wanted projects' wheels.

    Raises UsageFault for a folder that has no wheels.
    """
    named = [
        IndexSource(context=context, url=word)
        if "://" in word
        else FolderSource.read(Path(word), context.reporter.say)
        for word in request.sources
    ]
    return (*named, StoreSource.read(context, request, frozenset(wanted)))


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderSource:
    """A folder of wheels with their reports, or an index folder, read once."""

    found: tuple[Offer, ...]

    @classmethod
    def read(cls, folder: Path, say: Callable[[str], None]) -> FolderSource:
        """Reads the names and reports of the wheels; one that failed its verification is not offered."""
        if (folder / STATE).is_file():
            rows = IndexFolder(root=folder, say=say).read()
            offers = [
                Offer(pick=pick_of(folder / row.place, row.sha256), level=row.verified)
                for row in rows
                if row.yanked is None
            ]
            return cls(found=tuple(offers))
        paths = sorted(folder.glob("*.whl"))
        if not paths:
            raise UsageFault(
                f"--from {folder}: there is no wheel in it",
                next_step="name a folder of `spokeshave build` or `publish`, or the URL of an index",
            )
        releases = [read_release(path, unverified=True) for path in paths]
        for one in releases:
            if one.refuted:
                say(f"{one.path.name} is not used: its verification failed")
        return cls(
            found=tuple(
                Offer(pick=pick_of(one.path, one.sha256), level=one.level)
                for one in releases
                if not one.refuted
            )
        )

    def offers(self, project: NormalizedName) -> Iterable[Offer]:
        return [one for one in self.found if one.pick.project == project]


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSource:
    """A simple index on a server, such as a team's."""

    context: Context
    url: str

    def offers(self, project: NormalizedName) -> Iterator[Offer]:
        problems: list[str] = []
        with connect(read_pip_settings(self.context.runner), problems) as session:
            finder = PackageFinder(
                cast(Fetcher, session),
                index_urls=[self.url],
                ignore_compatibility=True,
                only_binary=[":all:"],
            )
            try:
                links = [one.link for one in retrying(lambda: list(finder.find_all_packages(project)))]
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as fault:
                raise NetworkError(f"--from {self.url}: {fault}", next_step="check the address") from fault
        for link in links:
            sha256 = (link.hash_option or {}).get("sha256", [""])[0]
            if sha256 and link.filename.endswith(".whl"):
                _, version, _, _ = parse_wheel_filename(link.filename)
                yield Offer(
                    pick=Pick(
                        project=project,
                        version=version,
                        filename=link.filename,
                        sha256=sha256,
                        url=link.url_without_fragment,
                    )
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreSource:
    """The store's wheels of the plans that a build of the same versions would have."""

    found: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def read(cls, context: Context, request: ShrinkRequest, wanted: frozenset[NormalizedName]) -> StoreSource:
        """Looks the plans of the wanted projects up; with `--build`, builds those that are not there.

        Without `--build` a machine that cannot build has an empty store.
        """
        names = tuple(
            name
            for name in context.book.names()
            if canonicalize_name(context.book.load(name).recipe.distribution) in wanted
        )
        if not names:
            return cls()
        asked = Request(packages=names, profile=request.profile, target=request.target)
        try:
            plans = _plans(context, asked, ready=request.build)
        except SpokeshaveError:
            if request.build:
                raise
            return cls()
        if request.build:
            made = build(context, plans)
            return cls(found={plan.distribution: made[plan.recipe].wheel for plan in plans})
        entries = {plan.distribution: context.store.get("built", plan.digest) for plan in plans}
        return cls(found={name: next(entry.glob("*.whl")) for name, entry in entries.items() if entry})

    def offers(self, project: NormalizedName) -> Iterator[Offer]:
        for name, path in self.found.items():
            if canonicalize_name(name) == project:
                yield Offer(pick=pick_of(path, file_sha256(path)))


def _plans(context: Context, asked: Request, *, ready: bool) -> tuple[BuildPlan, ...]:
    return make_trained_plans(context, asked, _where(context, asked.target, ready=ready)).plans


def _where(context: Context, target: Target, *, ready: bool) -> Environment:
    """Docker where it answers, else this machine."""
    try:
        context.containers.probe()
    except SpokeshaveError:
        return environment(context, "host", target, ready=ready)
    return environment(context, "docker", target, ready=ready)


def pick_of(path: Path, sha256: str) -> Pick:
    """A wheel of this machine by its file name."""
    project, version, _, _ = parse_wheel_filename(path.name)
    return Pick(project=project, version=version, filename=path.name, sha256=sha256, path=path)
