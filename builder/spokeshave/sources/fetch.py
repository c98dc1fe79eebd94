"""The stage with a network: sdists, prebuilt libraries and locked wheels into the store, by hash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename

from spokeshave.context import Context
from spokeshave.inside.model import BuildPlan, Target, bare_text, digest_of
from spokeshave.sources import download

_LOCK = "requirements.txt"


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
    check = partial(not_pinned, source["sha256"])
    entry = context.store.get("source", source["sha256"], check)
    if entry is None:
        with context.reporter.stage(f"fetching {source['pypi']} {source['version']}"):
            pin = download.SourcePin(pypi=source["pypi"], version=source["version"], sha256=source["sha256"])
            settings = download.read_pip_settings(context.runner)
            entry = context.store.put(
                "source",
                source["sha256"],
                lambda folder: download.download_source(pin, folder, settings=settings),
                check,
            )
    return _only_file(entry)


def fetch_wheel(context: Context, source: Mapping[str, str], target: Target) -> Path:
    """The wheel of a source (`pypi`, `version`, `sha256`), from the store or the index."""
    check = partial(not_pinned, source["sha256"])
    entry = context.store.get("source", source["sha256"], check)
    if entry is None:
        with context.reporter.stage(f"fetching the wheel of {source['pypi']} {source['version']}"):
            entry = context.store.put(
                "source",
                source["sha256"],
                lambda folder: _download_wheel(context, source, target, folder),
                check,
            )
    return _only_file(entry)


def _download_wheel(context: Context, source: Mapping[str, str], target: Target, folder: Path) -> None:
    download.download_wheel(
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
    key, check = digest_of([text, target.identifier]), partial(not_locked, text)
    folder = context.store.get("wheels", key, check)
    if folder is None:
        with context.reporter.stage("fetching locked requirements"):
            folder = context.store.put(
                "wheels", key, lambda new: _download(context, text, target, new), check
            )
    return tuple(sorted(folder.glob("*.whl")))


def _download(context: Context, text: str, target: Target, folder: Path) -> None:
    locked = folder / _LOCK
    locked.write_text(text, "utf-8")
    download.download_locked(
        locked,
        folder,
        python_tag=target.python,
        platforms=target.pip_platforms,
        runner=context.runner,
        log=context.logs / "pip-download.log",
    )


def not_pinned(sha256: str, files: Mapping[str, str]) -> str:
    """Why files (name to sha256) are not the one with the pinned sha256; empty where they are."""
    if len(files) != 1:
        return f"{len(files)} files where one is pinned"
    ((name, found),) = files.items()
    return "" if found == sha256 else f"sha256 mismatch for {name}: expected {sha256}, got {found}"


def not_locked(text: str, files: Mapping[str, str]) -> str:
    """Why files (name to sha256) are not the wheels of a hash-locked text; empty where they are."""
    wanted, present = _locked_hashes(text), set()
    for name, found in files.items():
        if name == _LOCK:
            continue
        try:
            project = parse_wheel_filename(name)[0]
        except InvalidWheelFilename:
            return f"{name} is not a wheel"
        if found not in wanted.get(project, ((), False))[0]:
            return f"sha256 mismatch for {name}: expected one of those locked for {project}, got {found}"
        present.add(project)
    absent = [name for name, (_, always) in wanted.items() if always and name not in present]
    return f"no wheel of {', '.join(absent)}" if absent else ""


def _locked_hashes(text: str) -> dict[NormalizedName, tuple[list[str], bool]]:
    """The sha256 of each project's files in a hash-locked text, and whether it has no marker."""
    found: dict[NormalizedName, tuple[list[str], bool]] = {}
    for line in bare_text(_LOCK, text.replace("\\\n", " ")).splitlines():
        words = line.strip()
        if not words.startswith("-"):
            one = Requirement(re.split(r"\s--", words)[0])
            hashes, always = found.get(canonicalize_name(one.name), ([], False))
            hashes += re.findall(r"--hash=sha256:([0-9a-f]{64})", words)
            found[canonicalize_name(one.name)] = (hashes, always or one.marker is None)
    return found


def _only_file(folder: Path) -> Path:
    return next(p for p in sorted(folder.iterdir()) if p.name != "manifest.json")
