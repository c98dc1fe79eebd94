"""The stage with a network: sdists, prebuilt libraries and locked wheels into the store, by hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave import sources
from spokeshave.context import Context
from spokeshave.model import BuildPlan, Target, digest_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What a build needs from outside: the source, the locked build requirements, others' licences.

    The source is an sdist, or upstream's wheel of a prebuilt library. `license_sdists` are by sha256.
    """

    source: Path
    requirements: tuple[Path, ...]
    license_sdists: Mapping[str, Path]


def fetch(context: Context, plan: BuildPlan) -> Fetched:
    """Gets all that a build needs, from the store or the index; raises HashMismatch or NetworkError."""
    prebuilt = plan.compile.backend == "prebuilt"
    sources_of_licenses = [part.license_source for part in plan.bundled if part.license_source]
    return Fetched(
        source=fetch_wheel(context, plan.source, plan.target)
        if prebuilt
        else fetch_sdist(context, plan.source),
        requirements=() if prebuilt else fetch_locked(context, plan.compile.requirements, plan.target),
        license_sdists={source["sha256"]: fetch_sdist(context, source) for source in sources_of_licenses},
    )


def fetch_sdist(context: Context, source: Mapping[str, str]) -> Path:
    """The sdist of a source (`pypi`, `version`, `sha256`), from the store or the index."""
    entry = context.store.get("source", source["sha256"])
    if entry is None:
        with context.reporter.stage(f"fetching {source['pypi']} {source['version']}"):
            pin = sources.SourcePin(pypi=source["pypi"], version=source["version"], sha256=source["sha256"])
            settings = sources.read_pip_settings(context.runner)
            entry = context.store.put(
                "source",
                source["sha256"],
                lambda folder: sources.download_source(pin, folder, settings=settings),
            )
    return _only_file(entry)


def fetch_wheel(context: Context, source: Mapping[str, str], target: Target) -> Path:
    """The wheel of a source (`pypi`, `version`, `sha256`), from the store or the index."""
    entry = context.store.get("source", source["sha256"])
    if entry is None:
        with context.reporter.stage(f"fetching the wheel of {source['pypi']} {source['version']}"):
            entry = context.store.put(
                "source", source["sha256"], lambda folder: _download_wheel(context, source, target, folder)
            )
    return _only_file(entry)


def _download_wheel(context: Context, source: Mapping[str, str], target: Target, folder: Path) -> None:
    sources.download_wheel(
        source["pypi"],
        source["version"],
        source["sha256"],
        folder,
        python_tag=target.python,
        platforms=target.pip_platforms,
        runner=context.runner,
        log=context.logs / "wheel-download.log",
    )


def fetch_locked(context: Context, text: str, target: Target) -> tuple[Path, ...]:
    """The wheels of a hash-locked requirements text, from the store or the index."""
    key = digest_of([text, target.identifier])
    folder = context.store.get("wheels", key)
    if folder is None:
        with context.reporter.stage("fetching locked requirements"):
            folder = context.store.put("wheels", key, lambda new: _download(context, text, target, new))
    return tuple(sorted(folder.glob("*.whl")))


def _download(context: Context, text: str, target: Target, folder: Path) -> None:
    locked = folder / "requirements.txt"
    locked.write_text(text, "utf-8")
    sources.download_locked(
        locked,
        folder,
        python_tag=target.python,
        platforms=target.pip_platforms,
        runner=context.runner,
        log=context.logs / "pip-download.log",
    )


def _only_file(folder: Path) -> Path:
    return next(p for p in sorted(folder.iterdir()) if p.name != "manifest.json")
