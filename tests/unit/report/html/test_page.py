"""The page stands alone, escapes what it shows, and can be read in both colour schemes."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from spokeshave.inside.sizes import KINDS
from spokeshave.report.html.drawing import kind_class
from spokeshave.report.html.markup import el
from spokeshave.report.html.page import make_page
from stack import EVIL, PROVED, small_report
from words import faults

COMMAND = "spokeshave report 'a <b>.whl' --html page.html"
STYLE = (files("spokeshave.report.html") / "page.css").read_text("utf-8")


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._raw else data


@pytest.fixture(scope="module")
def page() -> str:
    return make_page({"lean": small_report()}, COMMAND)


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    assert "://" not in page
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttpRequest|import\(", page)
    for tag, attributes in Reader(page).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form"), tag
        assert not {"src", "href", "srcset", "xlink:href", "data"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    assert "default-src 'none'" in page


def test_names_are_escaped(page: str) -> None:
    assert "<script>alert" not in page
    found = Reader(page)
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert EVIL in found.text
    assert COMMAND in found.text
    assert "no <Fortran> & no f2py" in found.text


def test_every_number_that_counts_is_told(page: str) -> None:
    text = Reader(page).text
    for told in (
        "21.45 MB instead of 39.57 MB",
        "one slim BLAS",
        "compiler, linker and other",
        "numpy without f2py",
        PROVED,
    ):
        assert told in text, told
    assert "not verified" in text
    assert "not measured" in text


def test_drawings_have_words(page: str) -> None:
    drawings = [attributes for tag, attributes in Reader(page).tags if tag == "svg"]
    maps = [one for one in drawings if one.get("class") == "treemap"]
    assert len(maps) == 4
    assert all(one["role"] == "img" and "MB unpacked: " in str(one["aria-label"]) for one in maps)
    assert all(one.get("aria-hidden") == "true" for one in drawings if one not in maps)


def test_page_without_pypi_wheel_or_bytecode_says_so() -> None:
    alone = Reader(make_page({"lean": replace(small_report(), stock=())}, COMMAND)).text
    assert "No PyPI wheel" in alone
    assert "From the PyPI wheels to ours" not in alone
    unknown = Reader(make_page({"lean": small_report(bytecode=None)}, COMMAND)).text
    assert "not measured: needs the target's own Python" in unknown


def test_page_uses_none_of_the_avoided_words(page: str) -> None:
    found = Reader(page)
    labels = [str(attributes.get("aria-label", "")) for _, attributes in found.tags]
    assert "From the PyPI wheels to ours" in found.text
    assert faults(" ".join([found.text, *labels])) == []


def test_the_page_is_deterministic(page: str) -> None:
    assert make_page({"lean": small_report()}, COMMAND) == page


def test_elements_keep_text_in_order() -> None:
    made = el("p", "a", None, el("b", "c"), "d", "e", class_="x", aria_label=None)
    assert made.text == "a"
    assert made[0].tail == "de"
    assert made.attrib == {"class": "x"}


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2."""
    digits = colour.strip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast(scheme: int) -> None:
    """At least 4.5 to 1, as WCAG 2 asks of small text (level AA)."""
    block = re.findall(r":root \{(.*?)\}", STYLE, re.S)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", block))
    for kind in KINDS:
        assert contrast(colours["tile-ink"], colours[kind_class(kind)]) >= 4.5, kind
    for name in ("ink", "soft", "accent", "good", "bad"):
        assert min(contrast(colours[name], colours[on]) for on in ("page", "card")) >= 4.5, name
    for name in ("lever", "component", "libraries", "rest"):
        assert contrast(colours[f"bar-{name}"], colours["page"]) >= 4.5, name
