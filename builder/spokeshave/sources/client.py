"""Where packages come from is pip's business: its settings, and an HTTP client that follows them.

pip's files and variables are read through pip itself; where nothing is configured it names its own
default, so that no address is written here.
"""

from __future__ import annotations

import json
import logging
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx2
from unearth import Link
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers.sync import PyPIClient

from spokeshave.errors import NetworkError
from spokeshave.inside.run import Command, Runner

T = TypeVar("T")

# It warns of each index that lacks a package, which is no news where there are several.
logging.getLogger("unearth").addHandler(logging.NullHandler())

_DEFAULT_TIMEOUT = 15.0  # pip's own, in seconds
_PAUSES = (0.3, 1.0)  # seconds before the second and the third attempt
ASK_PIP = (
    "run `pip config debug` to see which index pip uses; without a network, put the file into a "
    "folder and name that folder in PIP_FIND_LINKS"
)
# Runs in the Python whose pip is asked. `pip config list` would show every file's value, by path and
# not by precedence, and nothing at all under `quiet`; `pip config get` would read one file only.
_PROBE = """
import json, os
from pip._internal.configuration import Configuration
from pip._internal.exceptions import PipError
from pip._internal.models.index import PyPI  # pip's name for its default index
known = Configuration(isolated=False)
known.load()
found = {
    "default-index": PyPI.simple_url,
    # pip also takes certificates from the variables of requests.
    "certificates": os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE"),
}
for section in "global", "download", ":env:":  # as `pip download` reads them: the later one wins
    for key in (
        "pypi-url index-url extra-index-url find-links no-index cert client-cert proxy "
        "trusted-host default-timeout timeout"
    ).split():
        try:
            value = known.get_value(section + "." + key)
        except (KeyError, PipError):
            continue
        found[{"pypi-url": "index-url", "default-timeout": "timeout"}.get(key, key)] = value
print(json.dumps(found))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PipSettings:
    """How pip reaches its indexes; `timeout` in seconds. Addresses may hold passwords: no repr."""

    index_url: str = field(repr=False)
    extra_index_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    cert: Path | None = None
    client_cert: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    trusted_hosts: tuple[str, ...] = ()
    no_index: bool = False
    timeout: float = _DEFAULT_TIMEOUT

    def places(self) -> list[tuple[str, str]]:
        """Where to look, nearest first: pairs of "find_links" or "index_urls" and an address."""
        indexes = () if self.no_index else (self.index_url, *self.extra_index_urls)
        return [("find_links", place) for place in self.find_links] + [
            ("index_urls", place) for place in indexes
        ]


def read_pip_settings(runner: Runner, python: str = sys.executable) -> PipSettings:
    """What `python`'s pip is configured with, by files and by environment, as it would use it.

    Raises NetworkError where that Python has no working pip.
    """
    done = runner(Command(argv=(python, "-P", "-c", _PROBE)))  # -P: no pip from this folder
    if not done.ok:
        raise NetworkError(
            f"cannot ask pip for its settings: {python} exited with {done.returncode}: "
            + "\n".join(done.output.splitlines()[-5:]),
            next_step=f"try `{python} -m pip config debug`, or `{python} -m ensurepip`",
        )
    found: dict[str, str] = json.loads(done.output.splitlines()[-1])
    proxy = found.get("proxy") or None
    return PipSettings(
        index_url=found.get("index-url") or found["default-index"],
        extra_index_urls=tuple(found.get("extra-index-url", "").split()),
        find_links=tuple(_expanded(link) for link in found.get("find-links", "").split()),
        cert=_path(found.get("cert") or found["certificates"]),
        client_cert=_path(found.get("client-cert")),
        proxy=f"http://{proxy}" if proxy and "://" not in proxy else proxy,
        trusted_hosts=tuple(found.get("trusted-host", "").split()),
        no_index=found.get("no-index", "").lower() in ("1", "true", "yes", "on", "y", "t"),
        timeout=float(found.get("timeout") or _DEFAULT_TIMEOUT),
    )


def _expanded(place: str) -> str:
    return str(Path(place).expanduser()) if place.startswith("~") else place


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def connect(settings: PipSettings, problems: list[str]) -> PyPIClient:
    """An HTTP client with pip's certificates, proxy, trusted hosts, timeout and passwords.

    Passwords come from the addresses, netrc or keyring. What an index refuses is added to `problems`.
    Raises NetworkError where a certificate cannot be read; requests raise httpx2.HTTPError.
    """
    trusted = {
        f"all://{host}": httpx2.HTTPTransport(verify=False, proxy=settings.proxy)
        for host in settings.trusted_hosts
        if settings.proxy  # unearth would reach these hosts past the proxy
    }

    def judge(response: httpx2.Response) -> None:
        if _may_pass(response):
            raise status_error(response)
        if response.status_code in (401, 403, 407):  # unearth continues as if the page were empty
            problems.append(f"{Link(str(response.url)).redacted}: {status_error(response)}")

    indexes = [place for _, place in settings.places()]
    return PyPIClient(
        trusted_hosts=settings.trusted_hosts,
        verify=_trust(settings),
        proxy=settings.proxy,
        mounts=trusted,
        timeout=settings.timeout,
        follow_redirects=True,
        auth=MultiDomainBasicAuth(prompting=False, index_urls=indexes),
        event_hooks={"response": [judge]},
    )


def status_error(response: httpx2.Response) -> httpx2.HTTPStatusError:
    """An error without the address, which may hold a password."""
    text = f"HTTP {response.status_code} {response.reason_phrase}"
    return httpx2.HTTPStatusError(text, request=response.request, response=response)


def _trust(settings: PipSettings) -> ssl.SSLContext | bool:
    cert = settings.cert
    if not cert and not settings.client_cert:
        return True
    try:
        context = ssl.create_default_context(
            cafile=cert if cert and not cert.is_dir() else None,
            capath=cert if cert and cert.is_dir() else None,
        )
        if settings.client_cert:
            context.load_cert_chain(settings.client_cert)
    except OSError as fault:
        raise NetworkError(
            f"cannot read pip's cert {cert} or client-cert {settings.client_cert}: {fault}",
            next_step=ASK_PIP,
        ) from fault
    return context


def retrying(action: Callable[[], T]) -> T:
    """Tries twice more where the network or the server may only have had a bad moment.

    Raises the httpx2.HTTPError of the last attempt.
    """
    for pause in _PAUSES:
        try:
            return action()
        except (httpx2.TransportError, httpx2.HTTPStatusError) as fault:
            if isinstance(fault, httpx2.HTTPStatusError) and not _may_pass(fault.response):
                raise
            time.sleep(pause)
    return action()


def _may_pass(response: httpx2.Response) -> bool:
    return response.status_code >= 500 or response.status_code == 429  # 429: too many requests
