"""The bodies of requests and answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A value that knows no other fields and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Health(Model):
    """The answer of a server that can serve."""

    status: str
    books: int


class Book(Model):
    """A text and what it is called."""

    title: str = Field(min_length=1, max_length=200)
    language: str = Field(default="en", pattern=r"^[a-z]{2}$")
    text: str = Field(min_length=1)


class Shelved(Model):
    """A book as the store has it."""

    id: int
    title: str
    words: int


class Topic(Model):
    """A topic's strongest words, and the share of all texts that it has."""

    words: tuple[str, ...]
    share: float


class Themes(Model):
    """Topics of all books, the cluster of each, and the most typical words of each."""

    topics: tuple[Topic, ...]
    clusters: dict[str, int]
    keywords: dict[str, tuple[str, ...]]


class Hit(Model):
    """A book that a question finds, with the cosine of the angle between them."""

    title: str
    score: float


class Figures(Model):
    """What the numbers say of the books: lengths, rank correlation, and the law of word frequencies."""

    books: int
    mean_words: float
    longest: str
    correlation: float
    zipf_exponent: float
    by_language: dict[str, int]


class Markup(Model):
    """A text to show, and how."""

    text: str
    language: str = "en"


class Page(Model):
    """A piece of HTML."""

    html: str


class Problem(Model):
    """Why a request was refused."""

    error: str
