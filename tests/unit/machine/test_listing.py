"""Tables at any width: no word is broken, no number is cut, and nothing is left out."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console, RenderableType

from spokeshave.machine.listing import Column, Listing, folded, heading, say, show
from widths import assert_whole, printed

WIDE = (Column("name", whole=True), Column("MB", number=True), Column("what it is"))
LONG = "a sentence of many words that has to be folded somewhere"


def forms(listing: Listing, width: int) -> list[str]:
    return printed(listing, width=width).splitlines()


def test_listing_with_room_is_one_table() -> None:
    lines = forms(Listing(columns=WIDE, rows=[("numpy", "1.50", "arrays")], title="Sizes"), 80)
    assert [line.split() for line in lines if line.strip()][1:] == [
        ["name", "MB", "what", "it", "is"],
        ["\N{BOX DRAWINGS LIGHT HORIZONTAL}" * len(lines[2].rstrip())],
        ["numpy", "1.50", "arrays"],
    ]


def test_listing_text_takes_the_room_that_is_left() -> None:
    lines = forms(Listing(columns=WIDE, rows=[("numpy", "1.50", LONG)]), 50)
    assert max(map(len, lines)) <= 50
    assert " ".join(lines[2].split()) == "numpy 1.50 a sentence of many words that has to"


def test_listing_with_labels_is_split_by_columns() -> None:
    columns = (Column("", whole=True), *(Column(f"kind {at}", number=True) for at in range(10)))
    rows = [("scikit-learn", *(f"{at}23.45" for at in range(10))), ("numpy", *("0.10",) * 10)]
    text = printed(Listing(columns=columns, rows=rows, labels=1, title="Sizes"), width=40)
    assert text.count("scikit-learn") == text.count("Sizes") == 4
    assert text.count("Sizes, continued") == 3
    assert_whole(Listing(columns=columns, rows=rows, labels=1), width=40)


def test_listing_too_narrow_puts_texts_into_one_column() -> None:
    columns = (Column("wheel", whole=True), Column("lever", whole=True), *WIDE[1:])
    rows = [("slim-openblas", "without scipy/assembled-docstrings", "6,677,568", LONG)]
    lines = forms(Listing(columns=columns, rows=rows), 60)
    assert lines[2].split()[:4] == ["6,677,568", "slim-openblas", "without", "scipy/assembled-docstrings"]
    assert max(map(len, lines)) <= 60


def test_listing_with_a_word_wider_than_all_becomes_blocks() -> None:
    word = "x" * 50
    lines = forms(Listing(columns=WIDE, rows=[("numpy", "1.50", f"{word} end")]), 40)
    assert [line for line in lines if line] == ["numpy", f"  {word}", "  end", "  MB 1.50"]


def test_listing_does_not_take_brackets_for_markup() -> None:
    text = printed(Listing(columns=WIDE, rows=[("[bold]", "[1]", ":x: [/]")]), width=60)
    assert "[bold]" in text and "[1]" in text and ":x: [/]" in text


@pytest.mark.parametrize("width", [1, 7, 30, 60, 200])
def test_listing_of_any_width_keeps_every_word(width: int) -> None:
    rows = [("scikit-learn", "1,234.56", LONG), ("b", "2", ""), ("c d", "-", "short")]
    for labels in (0, 1):
        assert_whole(Listing(columns=WIDE, rows=rows, labels=labels, title="A title"), width=width)


def test_folded_breaks_between_words_alone_and_keeps_indentation() -> None:
    assert folded("  one two three", 9, rest="  ") == ["  one two", "    three"]
    assert folded("x" * 20 + " y", 9) == ["x" * 20, "y"]
    assert folded("a  1.2\nb", 9) == ["a  1.2", "b"]
    assert folded("", 9) == [""]


def test_say_folds_on_a_terminal_and_not_in_a_pipe() -> None:
    for is_terminal in (True, False):
        console = Console(file=io.StringIO(), width=20, force_terminal=is_terminal, color_system=None)
        say(console, LONG)
        lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
        assert (max(map(len, lines)) <= 20) == is_terminal
        assert Counter(" ".join(lines).split()) == Counter(LONG.split())


def test_heading_too_long_for_a_rule_is_not_cut() -> None:
    title = "bench-numpy-lean: a suite of 461 functions, NPY_DISABLE_CPU_FEATURES=X86_V4"
    for width in (40, 120):
        console = Console(file=io.StringIO(), width=width)
        heading(console, title)
        assert title in console.file.getvalue()  # type: ignore[attr-defined]


def test_show_does_not_cut_what_cannot_be_folded() -> None:
    console = Console(file=io.StringIO(), width=20)
    things: list[RenderableType] = [Listing(columns=WIDE, rows=[("a", "1", "y" * 50)])]
    show(console, *things)
    assert "y" * 50 in console.file.getvalue()  # type: ignore[attr-defined]
