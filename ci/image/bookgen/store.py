"""Books in SQLite, through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool

from bookgen.models import Book, Shelved
from bookgen.texts import words


class TitleTaken(ValueError):
    """A second book of one title."""


class _Base(DeclarativeBase):
    pass


class _Language(_Base):
    __tablename__ = "language"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    books: Mapped[list[_Row]] = relationship(back_populates="language")


class _Row(_Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(unique=True)
    text: Mapped[str]
    words: Mapped[int]
    language_id: Mapped[int] = mapped_column(ForeignKey("language.id"))
    language: Mapped[_Language] = relationship(back_populates="books")


class Shelf:
    """A store of books; `url` is SQLAlchemy's, and without one the store lives in memory."""

    def __init__(self, url: str = "sqlite://") -> None:
        self._engine = _engine(url)
        _Base.metadata.create_all(self._engine)

    def add(self, book: Book) -> Shelved:
        """Takes a book in; raises TitleTaken where there is one of that title."""
        try:
            with Session(self._engine) as session, session.begin():
                language = session.scalar(select(_Language).where(_Language.code == book.language))
                row = _Row(
                    title=book.title,
                    text=book.text,
                    words=len(words(book.text)),
                    language=language or _Language(code=book.language),
                )
                session.add(row)
                session.flush()
                return _shelved(row)
        except IntegrityError as fault:
            raise TitleTaken(f"there is a book of that title: {book.title}") from fault

    def books(self) -> list[Book]:
        """All books, in the order in which they came."""
        with Session(self._engine) as session:
            rows = session.scalars(select(_Row).join(_Row.language).order_by(_Row.id))
            return [Book(title=row.title, language=row.language.code, text=row.text) for row in rows]

    def longest(self, most: int) -> Sequence[Shelved]:
        """The books with the most words."""
        with Session(self._engine) as session:
            rows = session.scalars(select(_Row).order_by(_Row.words.desc(), _Row.title).limit(most))
            return [_shelved(row) for row in rows]

    def count(self) -> int:
        """How many books there are."""
        with Session(self._engine) as session:
            return session.scalar(select(func.count()).select_from(_Row)) or 0

    def close(self) -> None:
        """Gives the database back."""
        self._engine.dispose()


def _engine(url: str) -> Engine:
    if url == "sqlite://":  # a database in memory lives as long as its one connection
        return create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    return create_engine(url)


def _shelved(row: _Row) -> Shelved:
    return Shelved(id=row.id, title=row.title, words=row.words)
