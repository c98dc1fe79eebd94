"""A client of the service, with the same models."""

from __future__ import annotations

from types import TracebackType
from typing import Self, TypeVar

import aiohttp
from pydantic import TypeAdapter

from bookgen.models import Book, Figures, Health, Hit, Markup, Model, Page, Shelved, Themes

Answer = TypeVar("Answer", bound=Model)
_HITS = TypeAdapter(list[Hit])


class Refused(RuntimeError):
    """An answer that is not a good one; `status` is its HTTP status."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status


class Client:
    """Talks to the service at an address such as `http://127.0.0.1:8080`."""

    def __init__(self, address: str) -> None:
        self._session = aiohttp.ClientSession(address)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def health(self) -> Health:
        """Whether it can serve."""
        return await self._get("/health", Health)

    async def add(self, book: Book) -> Shelved:
        """Hands in a book."""
        return await self._post("/books", book.model_dump_json().encode(), Shelved)

    async def add_tei(self, document: bytes) -> Shelved:
        """Hands in a book as TEI."""
        return await self._post("/tei", document, Shelved)

    async def themes(self, count: int = 2) -> Themes:
        """Topics, clusters, keywords."""
        return await self._get("/themes", Themes, count=str(count))

    async def similar(self, question: str) -> list[Hit]:
        """The books like a question, the most alike first."""
        async with self._session.get("/similar", params={"q": question}) as response:
            return _HITS.validate_json(await _good(response))

    async def figures(self) -> Figures:
        """The books in numbers."""
        return await self._get("/figures", Figures)

    async def show(self, route: str, text: str, language: str = "en") -> str:
        """The HTML that `page`, `code` or `hyphens` makes of a text."""
        body = Markup(text=text, language=language).model_dump_json().encode()
        return (await self._post(f"/{route}", body, Page)).html

    async def _get(self, path: str, kind: type[Answer], **query: str) -> Answer:
        async with self._session.get(path, params=query) as response:
            return kind.model_validate_json(await _good(response))

    async def _post(self, path: str, body: bytes, kind: type[Answer]) -> Answer:
        async with self._session.post(path, data=body) as response:
            return kind.model_validate_json(await _good(response))


async def _good(response: aiohttp.ClientResponse) -> bytes:
    body: bytes = await response.read()
    if response.status >= 400:
        raise Refused(response.status, body.decode(errors="replace"))
    return body
