"""The picture of two images: widths are sizes, and nothing is left out of them."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from imagebench.contents import parse
from imagebench.picture import image_picture, parts
from imagebench.tables import Comparison

SVG = "{http://www.w3.org/2000/svg}"


def bars(text: str) -> list[list[tuple[str, float]]]:
    """The parts of each bar with their widths, stock first."""
    root = ElementTree.fromstring(text)
    groups = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}rect[@data-part]") is not None]
    return [
        [(box.get("data-part", ""), float(box.get("width", "0"))) for box in group.findall(f"{SVG}rect")]
        for group in groups
    ]


def test_parts_sum_up_to_the_images(found: Comparison) -> None:
    shown = parts(found)
    assert sum(part.stock for part in shown) == found.stock.weight.total
    assert sum(part.ours for part in shown) == found.ours.weight.total
    sizes = {part.name: (part.stock, part.ours) for part in shown}
    assert sizes["numpy"] == (60_000_000, 12_000_000)
    assert sizes["slim-openblas"] == (0, 10_000_000)
    assert sizes["other packages"] == (9_000_000, 5_000_000)
    assert sizes["pandoc"] == (200_000_000, 200_000_000)


def test_widths_are_as_the_sizes(found: Comparison) -> None:
    stock, ours = bars(image_picture(found))
    assert sum(width for _, width in ours) / sum(width for _, width in stock) == pytest.approx(
        4 / 7, abs=1e-3
    )
    assert dict(ours)["numpy"] / dict(stock)["numpy"] == pytest.approx(0.2, abs=1e-2)


def test_every_part_is_in_the_legend_and_told_in_words(found: Comparison) -> None:
    root = ElementTree.fromstring(image_picture(found))
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert {part.name for part in parts(found)} <= set(texts)
    assert root.findtext(f"{SVG}title") == root.get("aria-label")
    assert "400 MB with profile app (0.57)" in root.get("aria-label", "")


def test_names_stay_inside_their_parts(found: Comparison) -> None:
    narrow = replace(found, pandoc=1_000_000)  # no room for its name, which only the legend has then
    for text, names in ((image_picture(found), 3), (image_picture(narrow), 1)):
        root = ElementTree.fromstring(text)
        assert sum("".join(one.itertext()) == "pandoc" for one in root.iter(f"{SVG}text")) == names


def test_names_of_packages_are_normalized() -> None:
    assert parse('{"Pygments": 3, "scikit_learn": 5}') == {"pygments": 3, "scikit-learn": 5}
