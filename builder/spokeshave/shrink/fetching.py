"""Wheels into the store by hash: those of an index side by side, those of this machine by copy."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx2
from unearth.fetchers.sync import PyPIClient

from spokeshave.context import Context
from spokeshave.errors import HashMismatch, NetworkError
from spokeshave.inside.model import file_sha256
from spokeshave.shrink.model import Pick
from spokeshave.sources.client import ASK_PIP, connect, read_pip_settings, retrying, status_error
from spokeshave.sources.fetch import not_pinned

_LANES = 4  # downloads at a time: more slow one another down on most connections
_CHUNK = 256 * 1024


def fetch_all(context: Context, picks: Sequence[Pick]) -> Mapping[str, Path]:
    """The files of the picked wheels by sha256, from the store or where they are; each is checked.

    Every finished one is in the store, so that an interrupted run continues. Raises HashMismatch
    or NetworkError.
    """
    found: dict[str, Path] = {}
    missing = []
    for pick in picks:
        entry = context.store.get("source", pick.sha256, partial(not_pinned, pick.sha256))
        if entry is None:
            missing.append(pick)
        else:
            found[pick.sha256] = _wheel_of(entry)
    if not missing:
        return found
    with context.reporter.stage(f"fetching {len(missing)} wheels"):
        problems: list[str] = []
        with connect(read_pip_settings(context.runner), problems) as session:
            found |= _fetch_missing(context, session, missing)
    return found


def _fetch_missing(context: Context, session: PyPIClient, missing: Sequence[Pick]) -> Mapping[str, Path]:
    found = {}
    pool = ThreadPoolExecutor(_LANES)
    try:
        jobs = {pool.submit(_fetch, context, session, pick): pick for pick in missing}
        for number, job in enumerate(as_completed(jobs), 1):
            found[jobs[job].sha256] = job.result()
            context.reporter.line(f"[{number}/{len(missing)}] {jobs[job].filename}")
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _fetch(context: Context, session: PyPIClient, pick: Pick) -> Path:
    entry = context.store.put(
        "source", pick.sha256, partial(_fill, session, pick), partial(not_pinned, pick.sha256)
    )
    return _wheel_of(entry)


def _fill(session: PyPIClient, pick: Pick, folder: Path) -> None:
    target = folder / pick.filename
    local = pick.path or _local(pick.url)
    try:
        if local:
            shutil.copyfile(local, target)
            got = file_sha256(target)
        else:
            got = retrying(partial(_stream, session, pick.url, target))
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as fault:
        raise NetworkError(f"cannot fetch {pick.filename}: {fault}", next_step=ASK_PIP) from fault
    if got != pick.sha256:
        raise HashMismatch(
            f"sha256 mismatch for {pick.filename}: expected {pick.sha256}, got {got}",
            next_step="resolve again; if it happens again, do not trust this index",
        )


def _local(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _stream(session: PyPIClient, url: str, target: Path) -> str:
    """Writes the bytes as they are on the server; returns their sha256."""
    digest = hashlib.sha256()
    with session.get_stream(url, headers={"Accept-Encoding": "identity"}) as response:
        if response.status_code != 200:
            raise status_error(response)
        with target.open("wb") as file:
            for chunk in response.iter_raw(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
    return digest.hexdigest()


def _wheel_of(entry: Path) -> Path:
    return next(entry.glob("*.whl"))
