"""The waterfall as a table with a bar in each row: it reads the same with and without its drawings."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from spokeshave.report.html.markup import el
from spokeshave.report.waterfall import Step

_WORDS = {
    "total": "",
    "lever": "lever",
    "component": "component",
    "libraries": "libraries",
    "rest": "remainder",
}


def waterfall_table(steps: Sequence[Step]) -> Element:
    """A row a step: its name, the bar from its bytes before to those after, and the bytes saved."""
    widest = max(max(step.before, step.after) for step in steps) or 1
    rows = [_row(step, steps[at - 1] if at else None, widest) for at, step in enumerate(steps)]
    head = el(
        "tr",
        el("th", "step", scope="col", class_="text"),
        el("th", "from PyPI to ours", scope="col", class_="bar text"),
        el("th", "MB", scope="col", class_="sum"),
    )
    return el("table", el("thead", head), el("tbody", *rows), class_="waterfall")


def _row(step: Step, previous: Step | None, widest: int) -> Element:
    word = _WORDS[step.kind]
    name = el(
        "th",
        step.label,
        " " if word else None,
        el("span", word, class_="tag") if word else None,
        el("small", step.note) if step.note else None,
        scope="row",
        class_="text",
    )
    value = f"{step.after / 1e6:.2f}" if step.kind == "total" else _signed(-step.saved)
    number = el("td", value, title=f"{abs(step.after - step.before):,} bytes")
    row = el("tr", name, el("td", _bar(step, previous, widest), class_="bar"), number)
    row.set("class", f"step-{step.kind}")
    return row


def _bar(step: Step, previous: Step | None, widest: int) -> Element:
    left, right = sorted((step.before, step.after))
    bar = el("rect", x=_percent(left, widest), width=_percent(right - left, widest), y="50%", height=18)
    links = [_link(step.after, widest, "50%", "100%")]
    if previous:
        links.append(_link(previous.after, widest, "0%", "50%"))
    if step.label == "ours":
        links = links[1:]
    return el("svg", *links, bar, aria_hidden="true")


def _link(at: int, widest: int, top: str, bottom: str) -> Element:
    return el("line", x1=_percent(at, widest), x2=_percent(at, widest), y1=top, y2=bottom)


def _percent(size: int, widest: int) -> str:
    return f"{100 * size / widest:.3f}%"


def _signed(size: int) -> str:
    """MB with its sign; a minus sign proper."""
    if abs(size) < 5_000:
        return "<0.01" if size else "0.00"
    return f"{size / 1e6:+.2f}".replace("-", "\N{MINUS SIGN}")
