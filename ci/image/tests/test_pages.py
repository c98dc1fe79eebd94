"""Hyphens, colours and pandoc."""

from __future__ import annotations

import asyncio

import pytest
from samples import needs_pandoc

from bookgen.pages import NoSuchLanguage, PandocFailed, colour, convert, hyphenate


def test_words_are_divided_where_the_language_divides_them() -> None:
    assert hyphenate("hyphenation", hyphen="-") == "hy-phen-a-tion"
    assert hyphenate("Sauerteigbrot und Salz", "de", hyphen="-") == "Sau-er-teig-brot und Salz"


def test_all_else_stays_as_it_is() -> None:
    text = "Bread, 12 loaves (of <b>flour</b>) and tea."
    assert hyphenate(text).replace("\N{SOFT HYPHEN}", "") == text


def test_code_is_coloured() -> None:
    html = colour("def bake(loaf):\n    return 'crust'\n", "python")
    for piece in (
        '<span class="k">def</span>',
        '<span class="nf">bake</span>',
        '<span class="k">return</span>',
        "'crust'</span>",
    ):
        assert piece in html


def test_languages_nobody_knows_are_refused() -> None:
    for refused in (lambda: hyphenate("words", "xx"), lambda: colour("words", "no such language")):
        with pytest.raises(NoSuchLanguage):
            refused()


@needs_pandoc
def test_pandoc_makes_pages() -> None:
    html = asyncio.run(convert("# Bread\n\nFlour *and* [water](#w).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"))
    for piece in (
        '<h1 id="bread">Bread</h1>',
        "<em>and</em>",
        '<a href="#w">water</a>',
        "<table>",
    ):
        assert piece in html


@needs_pandoc
def test_pandoc_goes_there_and_back() -> None:
    rst = asyncio.run(convert("Sea\n===\n\n- wind\n- tide\n", target="rst"))
    assert asyncio.run(convert(rst, source="rst", target="plain")).split() == [
        "Sea",
        "-",
        "wind",
        "-",
        "tide",
    ]


@needs_pandoc
def test_pandoc_says_what_it_cannot_do() -> None:
    with pytest.raises(PandocFailed, match="nosuchformat"):
        asyncio.run(convert("text", target="nosuchformat"))
