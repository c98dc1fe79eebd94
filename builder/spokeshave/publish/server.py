"""Serves an index folder over HTTP for trying it: pages by what the client accepts, wheels, metadata files.

It knows no passwords and no encryption, and listens on this machine alone unless asked otherwise.
"""

from __future__ import annotations

import io
import socket
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from spokeshave.errors import PublishError
from spokeshave.publish.index import ROOT

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
_PLAIN = "text/html"
_LATEST = {  # the names under which a client asks for the newest version of the format
    "application/vnd.pypi.simple.latest+json": JSON,
    "application/vnd.pypi.simple.latest+html": HTML,
}


def choose_type(accept: str) -> str | None:
    """The content type of a page for an Accept header; None where none of ours will do.

    Where two are wanted alike, JSON is preferred if it is named; clients that take anything (curl) get HTML.
    """
    wishes = dict(_wish(part) for part in accept.split(",") if part.strip()) or {"*/*": 1.0}
    wishes = {_LATEST.get(name, name): quality for name, quality in wishes.items()}

    def quality(kind: str) -> float:
        return wishes.get(kind, wishes.get(f"{kind.partition('/')[0]}/*", wishes.get("*/*", 0.0)))

    order = (JSON, _PLAIN, HTML) if JSON in wishes else (_PLAIN, JSON, HTML)
    best = max(order, key=quality)
    return best if quality(best) else None


def _wish(part: str) -> tuple[str, float]:
    name, *parameters = (word.strip().lower() for word in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 0.0
    return name, 1.0


class _Handler(SimpleHTTPRequestHandler):
    server_version = "spokeshave"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds until an idle connection is closed
    extensions_map = {  # noqa: RUF012  (the base class has it so)
        ".metadata": "text/plain; charset=utf-8",
        ".toml": "application/toml",
        ".txt": "text/plain; charset=utf-8",
        "": "application/octet-stream",
    }

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Answers GET and HEAD up to the body, which the caller sends."""
        path = unquote(urlsplit(self.path).path)
        names = [name for name in path.split("/") if name]
        if any(name.startswith(".") or "\0" in name for name in names):
            return self._refuse(HTTPStatus.NOT_FOUND)
        if not names:
            return self._redirect(f"/{ROOT}/")
        if names[0] == ROOT and len(names) < 3:
            return self._page(names, slash=path.endswith("/"))
        if Path(self.directory, *names).is_dir():  # the base class would list it
            return self._refuse(HTTPStatus.NOT_FOUND)
        return super().send_head()

    def _page(self, names: list[str], *, slash: bool) -> io.BytesIO | None:
        folder = Path(self.directory, ROOT, *map(canonicalize_name, names[1:]))
        if not folder.is_dir():
            return self._refuse(HTTPStatus.NOT_FOUND)
        right = "/".join(["", ROOT, *([folder.name] if names[1:] else []), ""])
        if not slash or right.split("/")[2:-1] != names[1:]:
            return self._redirect(right)
        kind = choose_type(",".join(self.headers.get_all("Accept", [])))
        if kind is None:
            return self._refuse(HTTPStatus.NOT_ACCEPTABLE)
        body = (folder / ("index.json" if kind == JSON else "index.html")).read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind if kind == JSON else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Vary", "Accept")
        self.end_headers()
        return io.BytesIO(body)

    def _redirect(self, place: str) -> io.BytesIO | None:
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def _refuse(self, status: HTTPStatus) -> io.BytesIO | None:
        self.send_error(status)
        return None

    def end_headers(self) -> None:
        """Ends the headers; a client must ask again, since yanking and new wheels change the pages."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


class IndexServer(ThreadingHTTPServer):
    """Serves one folder, a thread per connection; `serve_forever` until `shutdown` or Ctrl-C."""

    daemon_threads = True

    @property
    def url(self) -> str:
        """The address of the index, for pip's --index-url and uv's --index."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/{ROOT}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that disconnects in the middle is not reported."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _IndexServer6(IndexServer):
    address_family = socket.AF_INET6


def make_server(folder: Path, host: str, port: int) -> IndexServer:
    """A server that listens already; port 0 takes a free one. Raises PublishError where it cannot listen."""
    kind = _IndexServer6 if ":" in host else IndexServer
    try:
        return kind((host, port), partial(_Handler, directory=str(folder)))
    except (OSError, OverflowError) as fault:
        raise PublishError(
            f"cannot listen on {host} port {port}: {fault}",
            next_step="name another port with --port; 0 takes a free one",
        ) from fault
