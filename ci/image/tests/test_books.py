"""XML: TEI is read and written, and what is not TEI is refused."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bookgen.books import TEI, NotTei, read, write
from bookgen.models import Book

DOCUMENT = f"""<?xml version="1.0"?>
<TEI xmlns="{TEI}" xml:lang="de">
  <teiHeader><title>Salz  &amp;
     Meer</title></teiHeader>
  <text><p>Grüße vom <!-- not a word -->Meer.</p><p>Salz
     liegt &lt;hier&gt;.</p></text>
</TEI>""".encode()


def test_a_document_is_read() -> None:
    assert read(DOCUMENT) == Book(
        title="Salz & Meer", language="de", text="Grüße vom Meer.\n\nSalz liegt <hier>."
    )


def test_what_is_written_is_read_again(books: list[Book]) -> None:
    strange = Book(title="<&>", language="fr", text="é < è\n\n& ]]>")
    assert [read(write(book)) for book in (*books, strange)] == [*books, strange]


def test_the_standard_library_reads_it_too() -> None:
    root = ElementTree.fromstring(write(Book(title="Sea", text="One.\n\nTwo.")))
    assert [p.text for p in root.iter(f"{{{TEI}}}p")] == ["One.", "Two."]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"<TEI", "not a document"),
        (b"<TEI/>", "not a document"),
        (DOCUMENT.replace(b"<title>", b"<name>").replace(b"</title>", b"</name>"), "name"),
    ],
)
def test_other_documents_are_refused(document: bytes, said: str) -> None:
    with pytest.raises(NotTei, match=said):
        read(document)
