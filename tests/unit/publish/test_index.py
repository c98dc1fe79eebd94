"""The pages: each field where its standard puts it, nothing unescaped, one order whatever came first."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from spokeshave.publish.index import File, pages

NAME = "numpy-2.4.6+lean.1-cp311-cp311-linux_x86_64.whl"
FILE = File(
    filename=NAME,
    sha256="a" * 64,
    size=1234567,
    upload_time="2026-01-02T03:04:05.000006Z",
    requires_python=">=3.11,<4",
    metadata_sha256="b" * 64,
    verified="full",
)
OLDER = replace(FILE, filename="numpy-2.4.5+lean.10-cp311-cp311-linux_x86_64.whl", requires_python="")
BLAS = replace(FILE, filename="slim_openblas-0.3.31+lean.1-py3-none-any.whl")


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], str]] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag == "a"
        if self._open:
            self.found.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            attributes, text = self.found[-1]
            self.found[-1] = (attributes, text + data)


def anchors(page: bytes) -> list[tuple[dict[str, str | None], str]]:
    parser = _Anchors()
    parser.feed(page.decode())
    return parser.found


def file_row(file: File) -> dict[str, object]:
    page = json.loads(pages([file])["simple/numpy/index.json"])
    (row,) = page["files"]
    return dict(row)


def test_the_json_page_of_a_project() -> None:
    page = json.loads(pages([FILE, OLDER])["simple/numpy/index.json"])
    assert page["meta"] == {"api-version": "1.1"}
    assert page["name"] == "numpy"
    assert page["versions"] == ["2.4.5+lean.10", "2.4.6+lean.1"], "in the order of versions, not of letters"
    assert page["files"][1] == {
        "filename": NAME,
        "url": NAME.replace("+", "%2B"),
        "hashes": {"sha256": "a" * 64},
        "requires-python": ">=3.11,<4",
        "size": 1234567,
        "upload-time": "2026-01-02T03:04:05.000006Z",
        "core-metadata": {"sha256": "b" * 64},
        "dist-info-metadata": {"sha256": "b" * 64},
        "yanked": False,
        "_spokeshave": {"verified": "full"},
    }
    assert "requires-python" not in page["files"][0], "one that says nothing has no key"


def test_the_html_page_of_a_project() -> None:
    page = pages([FILE])["simple/numpy/index.html"]
    assert page.startswith(b"<!DOCTYPE html>")
    assert b'<meta name="pypi:repository-version" content="1.1">' in page
    assert anchors(page) == [
        (
            {
                "href": f"{NAME.replace('+', '%2B')}#sha256={'a' * 64}",
                "data-requires-python": ">=3.11,<4",
                "data-core-metadata": f"sha256={'b' * 64}",
                "data-dist-info-metadata": f"sha256={'b' * 64}",
                "data-spokeshave-verified": "full",
            },
            NAME,
        )
    ]
    assert b'data-requires-python="&gt;=3.11,&lt;4"' in page


@pytest.mark.parametrize(("reason", "told"), [('wrong <BLAS> & "more"', 'wrong <BLAS> & "more"'), ("", True)])
def test_a_yanked_file_says_why(reason: str, told: object) -> None:
    yanked = replace(FILE, yanked=reason)
    assert file_row(yanked)["yanked"] == told
    assert anchors(pages([yanked])["simple/numpy/index.html"])[0][0]["data-yanked"] == reason
    assert b"<BLAS>" not in pages([yanked])["simple/numpy/index.html"]


def test_an_unverified_file_says_so() -> None:
    bare = replace(FILE, verified=None)
    assert file_row(bare)["_spokeshave"] == {"verified": False}
    page = pages([bare])["simple/numpy/index.html"]
    assert anchors(page)[0][0]["data-spokeshave-verified"] == "no"
    assert b"; not verified)" in page
    assert b"; verified: full)" in pages([FILE])["simple/numpy/index.html"]


def test_the_roots_come_last_and_name_the_projects() -> None:
    made = pages([BLAS, FILE])
    assert list(made)[-2:] == ["simple/index.json", "simple/index.html"]
    root = json.loads(made["simple/index.json"])
    assert root["projects"] == [{"name": "numpy"}, {"name": "slim-openblas"}]
    assert [row[0]["href"] for row in anchors(made["simple/index.html"])] == ["numpy/", "slim-openblas/"]


def test_the_order_of_files_does_not_matter() -> None:
    assert pages([FILE, OLDER, BLAS]) == pages([BLAS, OLDER, FILE])


def test_an_empty_index_has_its_roots_alone() -> None:
    assert set(pages([])) == {"simple/index.json", "simple/index.html"}
