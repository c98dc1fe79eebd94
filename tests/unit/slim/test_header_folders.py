"""Folders of headers: which one a file is in, and and what is kept or removed with it."""

from __future__ import annotations

import pytest

from spokeshave.inside.levers import source_files
from spokeshave.slim.header_folders import DECLARATIONS, include_folder, sort_includes


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("demo/include/demo/a.h", "demo/include"),
        ("demo/include/sub/include/a.h", "demo/include"),
        ("lxml/includes/libxml/a.h", "lxml/includes"),
        ("demo-1.0.data/headers/a.h", "demo-1.0.data/headers"),
        ("demo-1.0.data/platlib/demo/include/a.h", "demo-1.0.data/platlib/demo/include"),
        ("demo/core.h", ""),
        ("demo/include", ""),
        ("demo/headers/a.h", ""),
    ],
)
def test_include_folder_is_the_outermost(name: str, folder: str) -> None:
    assert include_folder(name) == folder


def test_declarations_are_what_the_lever_takes() -> None:
    assert tuple(f"*{ending}" for ending in DECLARATIONS) == source_files._HEADERS


def test_sort_includes_folder_without_headers_is_no_folder_of_headers() -> None:
    names = ("site/include/menu.inc", "site/include/page.html")
    found = sort_includes(names, names)
    assert (found.kept, found.removed) == (frozenset(), frozenset())


def test_sort_includes_named_data_keeps_no_headers() -> None:
    names = ("demo/include/a.h", "demo/include/data.json")
    assert sort_includes(names, ("demo/include/data.json",)).removed == {"demo/include/a.h"}


def test_sort_includes_folders_are_judged_one_by_one() -> None:
    names = ("a/include/a.h", "a/b.pxd", "b/include/b.h", "b/b.pxd", "a-1.data/headers/c.h")
    found = sort_includes(names, ("a/include/a.h",))
    assert found.kept == {"a/include/a.h", "a/b.pxd"}
    assert found.removed == {"b/include/b.h", "a-1.data/headers/c.h"}
