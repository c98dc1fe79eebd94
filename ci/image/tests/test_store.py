"""SQL: what is put in comes out, in memory and in a file, and no title comes twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bookgen.models import Book
from bookgen.store import Shelf, TitleTaken


def test_books_come_back_in_their_order(books: list[Book]) -> None:
    shelf = Shelf()
    ids = [shelf.add(book).id for book in books]
    assert ids == [1, 2, 3, 4, 5, 6]
    assert shelf.books() == books
    assert shelf.count() == 6
    shelf.close()


def test_the_longest_come_first() -> None:
    shelf = Shelf()
    for title, text in (("Short", "one"), ("Long", "one two three"), ("Middle", "one two")):
        shelf.add(Book(title=title, text=text))
    assert [(row.title, row.words) for row in shelf.longest(2)] == [("Long", 3), ("Middle", 2)]


def test_a_title_comes_once(books: list[Book]) -> None:
    shelf = Shelf()
    shelf.add(books[0])
    with pytest.raises(TitleTaken, match=books[0].title):
        shelf.add(Book(title=books[0].title, text="Something else."))
    assert shelf.books() == books[:1]


def test_a_file_is_plain_sqlite(tmp_path: Path) -> None:
    shelf = Shelf(f"sqlite:///{tmp_path / 'books.db'}")
    shelf.add(Book(title="Brot", language="de", text="Mehl und Wasser"))
    shelf.add(Book(title="Salz", language="de", text="Meer"))
    shelf.close()
    with sqlite3.connect(tmp_path / "books.db") as plain:
        rows = plain.execute("select title, words, code from book join language on language.id = language_id")
        assert rows.fetchall() == [("Brot", 3, "de"), ("Salz", 1, "de")]
        assert plain.execute("select count(*) from language").fetchone() == (1,)
    plain.close()
    again = Shelf(f"sqlite:///{tmp_path / 'books.db'}")
    assert [book.title for book in again.books()] == ["Brot", "Salz"]
    again.close()
