"""Uploads to a package server through twine; what is there already is neither sent again nor replaced."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
from unearth import Link
from unearth.collector import IndexPage, parse_html_page, parse_json_response
from unearth.fetchers.sync import PyPIClient

from spokeshave.errors import EngineMissing, NetworkError, PublishError
from spokeshave.inside.run import Command, Finished, Runner
from spokeshave.publish.release import Release
from spokeshave.publish.server import HTML, JSON
from spokeshave.sources.client import connect, read_pip_settings, retrying, status_error

_PAUSES = (1.0, 4.0)  # seconds before the second and the third attempt
_MAY_PASS = {408, 425, 429}  # refusals that ask for patience; those from 500 on do as well
_SLOWEST = 50_000  # bytes per second; twine itself would wait for ever for a server that keeps silent


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploaded:
    """A wheel on a server: its address there, and whether it was sent now or was there before."""

    release: Release
    url: str
    sent: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A package server: where it takes uploads (twine's words for that) and where it shows what it has.

    Passwords come from where twine and pip look: .pypirc, TWINE_PASSWORD, netrc, keyring, the address.
    `pauses` are the seconds between attempts, `patience` those that one may take besides sending the bytes.
    """

    target: tuple[str, ...]
    simple: str
    runner: Runner
    say: Callable[[str], None]
    log: Path
    pauses: tuple[float, ...] = _PAUSES
    patience: float = 120.0

    def upload(self, releases: Iterable[Release]) -> tuple[Uploaded, ...]:
        """Uploads what the server has not; all names are compared before the first byte is sent.

        Raises PublishError where the server has another file of that name, or refuses one; NetworkError
        where it does not answer; EngineMissing without twine.
        """
        if importlib.util.find_spec("twine") is None:
            raise EngineMissing("twine is not installed", next_step="pip install 'twine>=6.1,<8'")
        wanted = tuple(releases)
        settings = replace(read_pip_settings(self.runner), index_url=self.simple, extra_index_urls=())
        with connect(settings, []) as client:
            there = {release.filename: self._find(client, release) for release in wanted}
            return tuple(
                Uploaded(release=release, url=url or self._send(client, release), sent=url is None)
                for release in wanted
                for url in [there[release.filename]]
            )

    def _find(self, client: PyPIClient, release: Release) -> str | None:
        """The wheel's address on the server, None where it is not there; raises as `upload` does."""
        page = f"{self.simple.rstrip('/')}/{release.project}/"
        try:
            links = retrying(lambda: _links(client, page))
            link = next((one for one in links if one.filename == release.filename), None)
            if link is None:
                return None
            found = (link.hashes or {}).get("sha256") or retrying(lambda: _fetched_sha256(client, link))
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            raise NetworkError(
                f"cannot see what the server has, at {Link(page).redacted}: {fault}",
                next_step="see that the server runs and that --simple is the address which pip would use",
            ) from fault
        if found != release.sha256:
            raise PublishError(
                f"the server has another {release.filename} (sha256 {found[:12]}…), which is kept",
                next_step="raise the build number of its profile: a published file never changes",
            )
        return link.url_without_fragment

    def _send(self, client: PyPIClient, release: Release) -> str:
        """Uploads one wheel and returns its address; after a failure looks whether it has arrived."""
        for pause in (*self.pauses, None):
            done = self._twine(release)
            if url := self._find(client, release):
                return url
            code = _status(done.output)
            if done.ok or pause is None or (code and code < 500 and code not in _MAY_PASS):
                raise self._fault(release, done, code)
            self.say(f"{release.filename}: {_last_line(done.output)}; trying again in {pause:.0f} s")
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _twine(self, release: Release) -> Finished:
        options = ("--non-interactive", "--disable-progress-bar", *self.target)
        argv = (sys.executable, "-m", "twine", "--no-color", "upload", *options, str(release.path))
        env = {**os.environ, "COLUMNS": "500"}  # its messages come whole, in one line each
        self.say(f"uploading {release.filename}")
        seconds = self.patience + release.size / _SLOWEST
        try:
            return self.runner(Command(argv=argv, env=env, timeout=seconds))
        except TimeoutError:
            told = f"no answer within {seconds:.0f} s"
            return Finished(argv=argv, returncode=1, output=told, seconds=seconds)

    def _fault(self, release: Release, done: Finished, code: int | None) -> PublishError | NetworkError:
        output = _without_passwords(done.output)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text(output + "\n", "utf-8")
        if done.ok:
            return PublishError(
                f"the server took {release.filename}, but does not show it at {Link(self.simple).redacted}",
                next_step="name the address of the same index with --simple",
                log=self.log,
            )
        told = f"{release.filename}: {_last_line(output)}"
        if code and code < 500:
            mend = {401: "give a user and a password, for example in TWINE_USERNAME and TWINE_PASSWORD"}
            return PublishError(
                f"the server refused {told}",
                next_step=mend.get(code, mend[401] if code == 403 else "see the server's log for its reason"),
                log=self.log,
            )
        return NetworkError(
            f"cannot upload {told}",
            next_step="run the same command again: what has arrived is not sent again",
            log=self.log,
        )


def _links(client: PyPIClient, page: str) -> list[Link]:
    """The files on a project's page; none where the server does not know the project."""
    response = client.get(page, headers={"Accept": f"{JSON}, {HTML}; q=0.2, text/html; q=0.1"})
    if response.status_code == 404:
        return []
    if response.status_code >= 400:
        raise status_error(response)
    kind = response.headers.get("Content-Type", "")
    read = parse_json_response if kind.startswith(JSON) else parse_html_page
    return list(read(IndexPage(Link(str(response.url)), response.content, response.encoding, kind)))


def _fetched_sha256(client: PyPIClient, link: Link) -> str:
    """The sha256 of the file itself, where the page gives none."""
    digest = hashlib.sha256()
    with client.stream("GET", link.url_without_fragment) as response:
        if response.status_code >= 400:
            raise status_error(response)
        for chunk in response.iter_bytes():
            digest.update(chunk)
    return digest.hexdigest()


def _status(output: str) -> int | None:
    """The HTTP status that ended twine's upload; None where there was no answer."""
    found = re.findall(r"HTTPError: (\d{3})", output)
    return int(found[-1]) if found else None


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if "Error" in line), lines[-1] if lines else "no message")
    return _without_passwords(re.sub(r"^ERROR\s+", "", told))[:400]


def _without_passwords(text: str) -> str:
    return re.sub(r"(?<=://)[^/\s@]*@", "****@", text)
