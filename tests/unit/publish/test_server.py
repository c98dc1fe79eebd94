"""`serve`: the page that a client accepts, the right content types, and nothing beside the index."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from releases import make_stack
from spokeshave.errors import PublishError
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.release import gather
from spokeshave.publish.server import IndexServer, choose_type, make_server

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PIP = f"{JSON}, {HTML}; q=0.1, text/html; q=0.01"
WHEEL = "/simple/numpy/numpy-2.4.6%2Blean.1-py3-none-any.whl"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[IndexServer]:
    index = IndexFolder(root=tmp_path / "index", say=lambda text: None)
    index.add(gather(make_stack(tmp_path / "wheels")), datetime.now(UTC))
    (index.root / "simple" / "numpy" / "deeper").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    with make_server(index.root, "127.0.0.1", 0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


Answer = tuple[int, Mapping[str, str], bytes]


def ask(server: IndexServer, path: str, accept: str | None = PIP, method: str = "GET") -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.server_address[1]), timeout=20)
    connection.request(method, path, headers={"Accept": accept} if accept else {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, {key.lower(): value for key, value in response.getheaders()}, body


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (PIP, JSON),
        (JSON, JSON),
        (HTML, HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("text/html", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        (f"{JSON};q=0.2, text/html", "text/html"),
        (f"{JSON};q=0, text/html;q=0.1", "text/html"),
        (f"{JSON};q=0, */*", "text/html"),
        ("*/*", "text/html"),
        ("", "text/html"),
        ("application/*", JSON),
        ("image/png", None),
        ("*/*;q=0", None),
        (f"{JSON};q=much", None),
    ],
)
def test_the_type_follows_the_accept_header(accept: str, kind: str | None) -> None:
    assert choose_type(accept) == kind


@pytest.mark.parametrize("path", ["/simple/", "/simple/numpy/"])
def test_pages_come_as_asked(server: IndexServer, path: str) -> None:
    status, headers, body = ask(server, path)
    assert (status, headers["content-type"], headers["vary"]) == (200, JSON, "Accept")
    assert json.loads(body)["meta"] == {"api-version": "1.1"}
    status, headers, body = ask(server, path, None)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert body.startswith(b"<!DOCTYPE html>")
    status, headers, body = ask(server, path, "image/png")
    assert status == 406


def test_wheels_and_metadata_have_their_types(server: IndexServer) -> None:
    status, headers, body = ask(server, WHEEL)
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    assert body[:2] == b"PK"
    status, headers, body = ask(server, f"{WHEEL}.metadata")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert body.startswith(b"Metadata-Version")
    assert ask(server, WHEEL.replace("%2B", "+"))[0] == 200


def test_head_has_the_length_and_no_body(server: IndexServer) -> None:
    for path in ("/simple/numpy/", WHEEL):
        whole = ask(server, path)
        status, headers, body = ask(server, path, method="HEAD")
        assert (status, body) == (200, b"")
        assert int(headers["content-length"]) == len(whole[2])


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "/simple/"),
        ("/simple", "/simple/"),
        ("/simple/numpy", "/simple/numpy/"),
        ("/simple/Slim_OpenBLAS/", "/simple/slim-openblas/"),
        ("/simple/slim.openblas", "/simple/slim-openblas/"),
    ],
)
def test_other_names_of_a_page_lead_to_it(server: IndexServer, path: str, place: str) -> None:
    status, headers, _ = ask(server, path)
    assert (status, headers["location"]) == (301, place)


@pytest.mark.parametrize(
    "path",
    [
        "/simple/scipy/",
        "/simple/numpy/deeper/",
        "/simple/numpy/gone.whl",
        "/.spokeshave.lock",
        "/../secret.txt",
        "/simple/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/simple/%2e%2e/%2e%2e/secret.txt",
        "/simple/..%2f..%2fsecret.txt",
        "/simple/%00/",
        "//secret.txt",
        "/simple/numpy/index.html/",
    ],
)
def test_nothing_else_is_served(server: IndexServer, path: str) -> None:
    status, _, body = ask(server, path)
    assert status == 404, body
    assert b"secret\n" not in body
    assert b"Directory listing" not in body


def test_a_port_in_use_is_told(server: IndexServer, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="cannot listen on"):
        make_server(tmp_path, "127.0.0.1", int(server.server_address[1]))
