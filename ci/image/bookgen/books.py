"""Books as TEI, the XML of the Text Encoding Initiative; read with lxml, strictly."""

from __future__ import annotations

from lxml import etree

from bookgen.models import Book

TEI = "http://www.tei-c.org/ns/1.0"
_NAMES = {"t": TEI}
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_SHAPE = etree.RelaxNG(
    etree.XML(
        f"""<element name="TEI" ns="{TEI}" xmlns="http://relaxng.org/ns/structure/1.0">
              <optional><attribute name="lang" ns="http://www.w3.org/XML/1998/namespace"/></optional>
              <element name="teiHeader"><element name="title"><text/></element></element>
              <element name="text"><oneOrMore><element name="p"><text/></element></oneOrMore></element>
            </element>"""
    )
)


class NotTei(ValueError):
    """A document that is not the XML that we read."""


def read(document: bytes) -> Book:
    """The book of a document; raises NotTei where it is not well formed or not of our shape."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(document, parser)
        _SHAPE.assertValid(root)
    except (etree.XMLSyntaxError, etree.DocumentInvalid) as fault:
        raise NotTei(f"not a document that we read: {fault}") from fault
    (title,) = root.xpath("t:teiHeader/t:title", namespaces=_NAMES)
    paragraphs = root.xpath("t:text/t:p/text()", namespaces=_NAMES)
    text = "\n\n".join(" ".join(part.split()) for part in paragraphs)
    return Book(title=" ".join(title.text.split()), language=root.get(_LANG, "en"), text=text)


def write(book: Book) -> bytes:
    """The document of a book; `read` gives the book again."""
    root = etree.Element(f"{{{TEI}}}TEI", {_LANG: book.language}, nsmap={None: TEI})
    header = etree.SubElement(root, f"{{{TEI}}}teiHeader")
    etree.SubElement(header, f"{{{TEI}}}title").text = book.title
    body = etree.SubElement(root, f"{{{TEI}}}text")
    for paragraph in book.text.split("\n\n"):
        etree.SubElement(body, f"{{{TEI}}}p").text = paragraph
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
