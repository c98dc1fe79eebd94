"""Fetches what the recipes pin, from wherever the user's pip would: sdists and PyPI wheels.

The sdists come through unearth, since `pip download` would run their build to read their metadata.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import httpx2
from unearth import Link, PackageFinder
from unearth.collector import is_secure_origin
from unearth.fetchers import Fetcher
from unearth.fetchers.sync import PyPIClient

from spokeshave.errors import HashMismatch, NetworkError, SpokeshaveError, StoreError
from spokeshave.inside.run import Command, Runner
from spokeshave.sources.client import ASK_PIP, PipSettings, connect, read_pip_settings, retrying, status_error

__all__ = [
    "PipSettings",
    "SourcePin",
    "download_locked",
    "download_requirement",
    "download_source",
    "download_wheel",
    "find_source",
    "pip_error",
    "read_pip_settings",
]

OnBytes = Callable[[int, int | None], None]

_CHUNK = 256 * 1024
_UNREACHABLE = re.compile(
    r"connection (?:broken|refused|reset|aborted)|ConnectionError|timed out|name resolution"
    r"|SSLError|ProxyError|Max retries|unreachable|HTTP error [45]",
    re.IGNORECASE,
)
_PIP_MISMATCH = re.compile(r"^\s+(\S+) from .*\n\s+Expected sha256 (\w+)\s+Got\s+(\w+)", re.M)
_COMPARE = (
    "compare with the hashes on the project's release page; if the release was replaced for a "
    "reason, update the recipe, otherwise do not trust this index"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SourcePin:
    """A source release: the project's name on the index, its version, the sdist's sha256 in hex."""

    pypi: str
    version: str
    sha256: str


def download_source(
    source: SourcePin, folder: Path, *, settings: PipSettings, on_bytes: OnBytes | None = None
) -> Path:
    """Fetches the pinned sdist into `folder`, where it appears whole and under its own name.

    `on_bytes(done, total)` hears of progress in bytes and starts again from 0 where an attempt has
    to be repeated. Raises HashMismatch where only other files of that version are on offer,
    NetworkError where there is none or nothing answers, and StoreError where it cannot be written.
    """
    problems: list[str] = []
    wrong = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            connect(settings, problems) as session,
            TemporaryDirectory(dir=folder, prefix=".download-") as scratch,
        ):
            part = Path(scratch) / "part"
            for link in _sdists(session, source, settings, problems):
                got = _advertised(link)
                if not got or got == source.sha256:  # others need not be fetched to be wrong
                    got = _fetch(session, link, part, on_bytes, problems)
                if got == source.sha256:
                    return part.replace(folder / link.filename)
                wrong = got or wrong
    except OSError as fault:
        raise StoreError(
            f"cannot write to {folder}: {fault}", next_step="check its free space and permissions"
        ) from fault
    raise _not_found(source, settings, wrong, problems)


def find_source(pypi: str, version: str, *, settings: PipSettings) -> SourcePin:
    """The sdist that the index offers for a version, pinned by the hash that it is offered with.

    Raises NetworkError where no index has one with a sha256.
    """
    problems: list[str] = []
    wanted = SourcePin(pypi=pypi, version=version, sha256="")
    with connect(settings, problems) as session:
        for link in _sdists(session, wanted, settings, problems):
            if got := _advertised(link):
                return SourcePin(pypi=pypi, version=version, sha256=got)
    raise _not_found(wanted, settings, "", problems)


def _not_found(source: SourcePin, settings: PipSettings, wrong: str, problems: list[str]) -> SpokeshaveError:
    name = f"{source.pypi} {source.version}"
    if wrong:
        return HashMismatch(
            f"the sdist of {name} has sha256 {wrong}, not {source.sha256} as pinned",
            next_step=_COMPARE,
        )
    looked = ", ".join(Link(place).redacted for _, place in settings.places()) or "no index at all"
    return NetworkError(
        f"no sdist of {name} to be had from {looked}" + "".join(f"\n  {x}" for x in problems),
        next_step=ASK_PIP,
    )


def _sdists(
    session: PyPIClient, source: SourcePin, settings: PipSettings, problems: list[str]
) -> Iterator[Link]:
    """All sdists of that version, index by index; as with pip, one that fails does not end the search."""
    fetcher = cast(Fetcher, session)
    for kind, place in settings.places():
        name = Link(place).redacted
        if "://" in place and not is_secure_origin(fetcher, Link(place)):
            problems.append(f"{name}: neither https nor one of pip's trusted-host")
            continue
        finder = PackageFinder(
            fetcher,
            index_urls=[place] if kind == "index_urls" else [],
            find_links=[place] if kind == "find_links" else [],
            trusted_hosts=settings.trusted_hosts,
            ignore_compatibility=True,  # the sdist is for the target's Python, not for ours
            no_binary=[":all:"],
        )
        try:
            yield from retrying(partial(_links, finder, f"{source.pypi}=={source.version}"))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as fault:
            problems.append(f"{name}: {fault}")


def _links(finder: PackageFinder, requirement: str) -> list[Link]:
    # A pin may well be of a yanked or a pre-release version.
    found = finder.find_matches(requirement, allow_yanked=True, allow_prereleases=True)
    return [package.link for package in found]


def _advertised(link: Link) -> str:
    return (link.hash_option or {}).get("sha256", [""])[0]


def _fetch(session: PyPIClient, link: Link, part: Path, on_bytes: OnBytes | None, problems: list[str]) -> str:
    """Writes the file to `part` and returns its sha256; where that fails, notes why, returns ""."""
    try:
        return retrying(partial(_stream, session, link, part, on_bytes))
    except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
        problems.append(f"{link.redacted}: {fault}")
        return ""


def _stream(session: PyPIClient, link: Link, part: Path, on_bytes: OnBytes | None) -> str:
    digest, done = hashlib.sha256(), 0
    # Some servers label .tar.gz as a gzip-encoded .tar; the hash is that of the bytes as they are.
    headers = {"Accept-Encoding": "identity"}
    with session.get_stream(link.url_without_fragment, headers=headers) as response:
        if response.status_code != 200:
            raise status_error(response)
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        with part.open("wb") as file:
            for chunk in response.iter_raw(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if on_bytes:
                    on_bytes(done, total)
    return digest.hexdigest()


def download_locked(
    requirements: Path,
    folder: Path,
    *,
    python_tag: str,
    platforms: tuple[str, ...],
    runner: Runner,
    log: Path,
) -> tuple[Path, ...]:
    """Fetches the wheels of a hash-locked requirements file into `folder`, through pip.

    `python_tag` is one like "cp311", `platforms` are all wheel platforms that will do. Returns the
    wheels, sorted. Raises HashMismatch or NetworkError, with the log, and then leaves no wheel.
    """
    words = ("--require-hashes", "-r", str(requirements))
    download = _PipDownload(python_tag=python_tag, platforms=platforms, runner=runner, log=log)
    return download(words, folder, lambda output: _pip_fault(output, requirements, log))


def download_requirement(
    requirement: str,
    folder: Path,
    *,
    python_tag: str,
    platforms: tuple[str, ...],
    runner: Runner,
    log: Path,
) -> Path:
    """Fetches the wheel that pip would choose for a requirement (PEP 508), without what it requires.

    Raises NetworkError, with the log, where there is none for that Python and those platforms.
    """
    download = _PipDownload(python_tag=python_tag, platforms=platforms, runner=runner, log=log)
    (wheel,) = download(("--", requirement), folder, lambda output: pip_error(output, requirement, log))
    return wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class _PipDownload:
    """Runs of `pip download` for the wheels of one target, without what they require."""

    python_tag: str
    platforms: tuple[str, ...]
    runner: Runner
    log: Path

    def __call__(
        self, words: tuple[str, ...], folder: Path, fault: Callable[[str], SpokeshaveError]
    ) -> tuple[Path, ...]:
        """Fetches what `words` name into `folder`; where pip fails, raises `fault` of its output."""
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".download-") as scratch:
            done = self.runner(Command(argv=(*self._argv(), "-d", scratch, *words), log=self.log))
            if not done.ok:
                raise fault(done.output)
            return tuple(sorted(p.replace(folder / p.name) for p in Path(scratch).iterdir()))

    def _argv(self) -> tuple[str, ...]:
        tag = re.fullmatch(r"cp(\d)(\d+)t?", self.python_tag)
        if not tag:
            raise ValueError(f"{self.python_tag!r} is not a tag of CPython")
        return (
            *(sys.executable, "-P", "-m", "pip", "download", "--no-input", "--progress-bar=off"),
            *("--no-deps", "--only-binary=:all:", "--implementation=cp"),
            *(f"--python-version={tag[1]}.{tag[2]}", f"--abi={self.python_tag}"),
            *(f"--platform={platform}" for platform in self.platforms),
        )


def _pip_fault(output: str, requirements: Path, log: Path) -> SpokeshaveError:
    if found := _PIP_MISMATCH.search(output):
        what = f"{found[1]} has sha256 {found[3]}, not {found[2]} as pinned in {requirements.name}"
        return HashMismatch(what, next_step=_COMPARE, log=log)
    if "DO NOT MATCH THE HASHES" in output:
        return HashMismatch(
            f"a wheel of {requirements.name} has not the pinned sha256", next_step=_COMPARE, log=log
        )
    return pip_error(output, requirements.name, log)


def pip_error(output: str, what: str, log: Path) -> NetworkError:
    """The error for a pip that could not fetch `what`, with the end of its output."""
    last = "\n  ".join(output.splitlines()[-4:])
    reach = "cannot reach the index for" if _UNREACHABLE.search(output) else "pip could not fetch"
    return NetworkError(f"{reach} {what}:\n  {last}", next_step=ASK_PIP, log=log)


def download_wheel(
    name: str,
    version: str,
    sha256: str,
    folder: Path,
    *,
    python_tag: str,
    platforms: tuple[str, ...],
    runner: Runner,
    log: Path,
) -> Path:
    """Fetches one wheel by its sha256 (hex) into `folder`; raises as `download_locked` does."""
    with TemporaryDirectory() as scratch:
        locked = Path(scratch) / f"{name}-{version}.txt"
        locked.write_text(f"{name}=={version} --hash=sha256:{sha256}\n", "utf-8")
        (wheel,) = download_locked(
            locked, folder, python_tag=python_tag, platforms=platforms, runner=runner, log=log
        )
        return wheel
