"""The whole service over HTTP: a real server on loopback, a real client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from aiohttp import web
from samples import THEME, needs_pandoc

from bookgen.books import write
from bookgen.client import Client, Refused
from bookgen.models import Book
from bookgen.service import make_app
from bookgen.store import Shelf

Result = TypeVar("Result")


def serve(talk: Callable[[Client], Awaitable[Result]]) -> Result:
    """Starts the service on a free port, lets a client talk to it, and ends it."""

    async def both() -> Result:
        runner = web.AppRunner(make_app(Shelf()))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            async with Client(f"http://127.0.0.1:{port}") as client:
                return await talk(client)
        finally:
            await runner.cleanup()

    return asyncio.run(both())


def with_books(
    books: list[Book], talk: Callable[[Client], Awaitable[Result]]
) -> Callable[[Client], Awaitable[Result]]:
    """A talk that hands in books first."""

    async def whole(client: Client) -> Result:
        for book in books:
            await client.add(book)
        return await talk(client)

    return whole


def test_it_is_healthy_and_counts_books(books: list[Book]) -> None:
    assert serve(lambda client: client.health()).model_dump() == {"status": "ok", "books": 0}
    assert serve(with_books(books, lambda client: client.health())).books == 6


def test_themes(books: list[Book]) -> None:
    themes = serve(with_books(books, lambda client: client.themes(3)))
    assert themes.clusters == THEME
    assert sum(topic.share for topic in themes.topics) == pytest.approx(1.0)
    assert "comet" in themes.keywords["Orbits"]


def test_similar(books: list[Book]) -> None:
    hits = serve(with_books(books, lambda client: client.similar("a sailor at the tide")))
    assert {hit.title for hit in hits[:2]} == {"Harbour", "Lighthouse"}
    assert hits[0].score >= hits[1].score > 0


def test_figures() -> None:
    texts = ["bread " * 30 + "oven", "salt " * 20 + "sea and wind", "star"]
    books = [Book(title=f"T{n}", text=text) for n, text in enumerate(texts)]
    figures = serve(with_books(books, lambda client: client.figures()))
    assert (figures.books, figures.longest, figures.mean_words) == (3, "T0", pytest.approx((31 + 23 + 1) / 3))
    assert figures.correlation == pytest.approx(-1.0)
    assert figures.zipf_exponent > 1
    assert figures.by_language == {"en": 55}


def test_a_book_comes_as_tei(books: list[Book]) -> None:
    async def talk(client: Client) -> tuple[str, list[str]]:
        shelved = await client.add_tei(write(books[0]))
        return shelved.title, [hit.title for hit in await client.similar("harbour")]

    assert serve(talk) == ("Harbour", ["Harbour"])


@needs_pandoc
def test_pages() -> None:
    async def talk(client: Client) -> tuple[str, ...]:
        return (
            await client.show("page", "# Salt"),
            await client.show("code", "x = 1", "python"),
            await client.show("hyphens", "hyphenation"),
        )

    page, code, hyphens = serve(talk)
    assert page.strip() == '<h1 id="salt">Salt</h1>'
    assert '<span class="mi">1</span>' in code
    assert hyphens == "hy\xadphen\xada\xadtion"


def test_requests_at_one_time(books: list[Book]) -> None:
    async def talk(client: Client) -> list[str]:
        hits = await asyncio.gather(*(client.similar(book.text) for book in books for _ in range(3)))
        return [found[0].title for found in hits]

    assert serve(with_books(books, talk)) == [book.title for book in books for _ in range(3)]


@pytest.mark.parametrize(
    ("talk", "status"),
    [
        (lambda client: client.themes(2), 400),
        (lambda client: client.add_tei(b"<no"), 422),
        (lambda client: client.show("code", "x", "zz"), 422),
        (lambda client: client.show("nowhere", "x"), 404),
        (lambda client: client.show("books", "a book has a title"), 422),
    ],
)
def test_bad_requests_are_told_why(talk: Callable[[Client], Awaitable[object]], status: int) -> None:
    with pytest.raises(Refused) as caught:
        serve(talk)
    assert caught.value.status == status


def test_a_title_is_taken_once(books: list[Book]) -> None:
    with pytest.raises(Refused, match=r"409.*Harbour"):
        serve(with_books([books[0], books[0]], lambda client: client.health()))
