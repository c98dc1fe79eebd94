"""The sample texts as fixtures."""

from __future__ import annotations

import pytest
from samples import TEXTS

from bookgen.models import Book


@pytest.fixture
def texts() -> list[str]:
    return list(TEXTS.values())


@pytest.fixture
def books() -> list[Book]:
    return [Book(title=title, text=text) for title, text in TEXTS.items()]
