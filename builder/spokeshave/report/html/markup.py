"""Elements of the page. ElementTree writes them, so that every text and attribute is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

Child = Element | str | None
# The browser itself keeps the page from loading anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def el(tag: str, /, *children: Child, **attributes: str | float | None) -> Element:
    """An element with children in their order; a None among children or attributes is ignored.

    An attribute's trailing underscore is dropped (`class_`) and the others become dashes (`aria_label`);
    numbers are rounded to two decimals.
    """
    texts = {name: _text(value) for name, value in attributes.items() if value is not None}
    made = Element(tag, {name.rstrip("_").replace("_", "-"): text for name, text in texts.items()})
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
            last = child
        elif child is not None and last is not None:
            last.tail = (last.tail or "") + child
        elif child is not None:
            made.text = (made.text or "") + child
    return made


def svg(*children: Child, width: float, height: float, **attributes: str | float | None) -> Element:
    """A drawing of the given size in its own units, which the page stretches."""
    made = el("svg", *children, **attributes)
    made.set("viewBox", f"0 0 {_text(width)} {_text(height)}")
    return made


def standalone(
    *children: Child, width: float, height: float, style: str, label: str, title: Element | None = None
) -> str:
    """A drawing as a separate file, on white; `label` describes it in words."""
    whole = svg(
        title,
        el("style", style),
        el("rect", width=width, height=height, fill="#fff"),
        *children,
        width=width,
        height=height,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_label=label,
    )
    return tostring(whole, encoding="unicode") + "\n"


def data_table(
    headings: Iterable[str], rows: Iterable[Iterable[Child]], *, label: str, text_columns: int = 1
) -> Element:
    """A table whose first cell of each row heads it, in a box that scrolls where it is too narrow.

    The first `text_columns` columns hold text, the others numbers.
    """

    def cells(row: Iterable[Child], tag: str, first: str) -> list[Element]:
        made = []
        for at, child in enumerate(row):
            style = "text" if at < text_columns else None
            scope = first if at == 0 or tag == "th" else None
            made.append(el("th" if at == 0 else tag, child, class_=style, scope=scope))
        return made

    head = el("thead", el("tr", *cells(headings, "th", "col")))
    body = el("tbody", *(el("tr", *cells(row, "td", "row")) for row in rows))
    return scrolling(el("table", head, body), label)


def scrolling(table: Element, label: str) -> Element:
    """A box that scrolls sideways, with the keyboard too, instead of making the page wider."""
    return el("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def document(*, title: str, style: str, script: str, body: Element) -> str:
    """The whole page. `style` and `script` are our own files and are in it unescaped."""
    policy = el("meta", content=_POLICY)
    policy.set("http-equiv", "Content-Security-Policy")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        policy,
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", style),
    )
    body.append(el("script", script))
    page = el("html", head, body, lang="en")
    return "<!doctype html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
