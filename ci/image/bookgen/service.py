"""The HTTP server: JSON in and out, each body a model of `models`."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from pydantic import ValidationError

from bookgen import figures, fit, pages, topics
from bookgen.books import NotTei, read
from bookgen.models import Book, Figures, Health, Hit, Markup, Model, Page, Problem, Themes, Topic
from bookgen.similar import Corpus
from bookgen.store import Shelf, TitleTaken
from bookgen.texts import frequencies

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Body = TypeVar("Body", bound=Model)

SHELF: web.AppKey[Shelf] = web.AppKey("shelf", Shelf)
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (TitleTaken, 409),
    (pages.PandocFailed, 422),
    (ValidationError, 422),
    (NotTei, 422),
    (pages.NoSuchLanguage, 422),
)


class TooFew(ValueError):
    """A question that needs more books than there are."""


def make_app(shelf: Shelf) -> web.Application:
    """The service on that shelf, which is closed with it."""
    app = web.Application(middlewares=[_tell_faults], client_max_size=8 * 2**20)
    app[SHELF] = shelf
    app.on_cleanup.append(_close)
    app.add_routes(
        [
            web.get("/health", health),
            web.post("/books", add_book),
            web.post("/tei", add_tei),
            web.get("/themes", themes),
            web.get("/similar", similar),
            web.get("/figures", numbers),
            web.post("/page", page),
            web.post("/code", code),
            web.post("/hyphens", hyphens),
        ]
    )
    return app


async def health(request: web.Request) -> web.Response:
    """Whether the store answers."""
    return _answer(Health(status="ok", books=request.app[SHELF].count()))


async def add_book(request: web.Request) -> web.Response:
    """Takes in a book as JSON."""
    book = await _body(request, Book)
    return _answer(request.app[SHELF].add(book), status=201)


async def add_tei(request: web.Request) -> web.Response:
    """Takes in a book as TEI."""
    return _answer(request.app[SHELF].add(read(await request.read())), status=201)


async def themes(request: web.Request) -> web.Response:
    """Topics, clusters and keywords of all books; `?count=` of the first two, by default 2."""
    count = int(request.query.get("count", "2"))
    books = _at_least(request, count)
    return _answer(await asyncio.to_thread(_themes, books, count))


async def similar(request: web.Request) -> web.Response:
    """The books that `?q=` is like."""
    books = _at_least(request, 1)
    corpus = await asyncio.to_thread(Corpus, [book.text for book in books])
    hits = [
        Hit(title=books[one.place].title, score=one.score) for one in corpus.like(request.query.get("q", ""))
    ]
    return web.json_response([hit.model_dump() for hit in hits])


async def numbers(request: web.Request) -> web.Response:
    """The books in numbers."""
    books = _at_least(request, 1)
    (longest,) = request.app[SHELF].longest(1)
    return _answer(await asyncio.to_thread(_figures, books, longest.title))


async def page(request: web.Request) -> web.Response:
    """Markdown as HTML."""
    markup = await _body(request, Markup)
    return _answer(Page(html=await pages.convert(markup.text)))


async def code(request: web.Request) -> web.Response:
    """Source code as coloured HTML."""
    markup = await _body(request, Markup)
    return _answer(Page(html=pages.colour(markup.text, markup.language)))


async def hyphens(request: web.Request) -> web.Response:
    """A text with soft hyphens."""
    markup = await _body(request, Markup)
    return _answer(Page(html=pages.hyphenate(markup.text, markup.language)))


def _themes(books: list[Book], count: int) -> Themes:
    titles, texts = [book.title for book in books], [book.text for book in books]
    return Themes(
        topics=tuple(Topic(words=one.words, share=one.share) for one in topics.topics(texts, count)),
        clusters=dict(zip(titles, topics.clusters(texts, count), strict=True)),
        keywords=dict(zip(titles, topics.keywords(texts), strict=True)),
    )


def _figures(books: list[Book], longest: str) -> Figures:
    frame = figures.measure((book.title, book.language, book.text) for book in books)
    return Figures(
        books=len(frame),
        mean_words=statistics.fmean(frame["words"]),
        longest=longest,
        correlation=figures.correlation(frame),
        zipf_exponent=fit.zipf_exponent(frequencies(" ".join(book.text for book in books))),
        by_language=figures.by_language(frame),
    )


def _at_least(request: web.Request, count: int) -> list[Book]:
    books: list[Book] = request.app[SHELF].books()
    if len(books) < max(count, 1):
        raise TooFew(f"this needs {max(count, 1)} books, and there are {len(books)}")
    return books


async def _body(request: web.Request, kind: type[Body]) -> Body:
    return kind.model_validate_json(await request.read())


def _answer(model: Model, status: int = 200) -> web.Response:
    return web.Response(text=model.model_dump_json(), content_type="application/json", status=status)


@web.middleware
async def _tell_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns a fault of the caller into a status and a sentence; defects of the service remain 500."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as fault:
        status = next((code for kind, code in _STATUS if isinstance(fault, kind)), None)
        if status is None and isinstance(fault, ValueError):
            status = 400
        if status is None:
            raise
        return _answer(Problem(error=str(fault)), status=status)


async def _close(app: web.Application) -> None:
    app[SHELF].close()
