"""The report as one self-contained page: it needs no other file, no network, and works without its script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from xml.etree.ElementTree import Element

from spokeshave import __version__
from spokeshave.inside.sizes import KINDS
from spokeshave.report.html.bars import waterfall_table
from spokeshave.report.html.blas_table import backend_section
from spokeshave.report.html.drawing import NARROW, WIDE, Sheet, kind_class, patterns, treemap, widths
from spokeshave.report.html.hierarchy import stack_tree
from spokeshave.report.html.markup import Child, document, el
from spokeshave.report.html.tables import files_table, saved_table, size_table, verdicts
from spokeshave.report.html.treemap import Node
from spokeshave.report.parts import Part, total
from spokeshave.report.summary import Report
from spokeshave.report.terminal import megabytes, ratio

_SMALLEST_SHARE = 0.001  # of the larger stack: about 20 by 20 pixels


def make_page(reports: Mapping[str, Report], command: str) -> str:
    """The page of all profiles' reports (by label) as HTML; `command` is the one that makes it again."""
    sections = [_section(label, report) for label, report in reports.items()]
    made = el("p", "Made by spokeshave ", __version__, " with ", el("code", command), class_="made")
    folder = files("spokeshave.report.html")
    return document(
        title="spokeshave: " + ", ".join(f"profile {label}" for label in reports),
        style=(folder / "page.css").read_text("utf-8"),
        script=(folder / "page.js").read_text("utf-8"),
        body=el("body", patterns(), el("main", *sections, backend_section(reports)), el("footer", made)),
    )


def _section(label: str, report: Report) -> Element:
    rows = report.parts()
    whole = total(rows)
    return el(
        "section",
        *_headline(label, whole),
        *_maps(report, whole),
        *_waterfall(report),
        el("h2", "Sizes by package and kind of file"),
        size_table(rows),
        el("h2", "Bytes saved by each lever and component"),
        saved_table(report),
        el("h2", "Verification"),
        verdicts(report.verified),
        el("details", el("summary", "The largest files, PyPI and ours"), files_table(report)),
        aria_label=f"profile {label}",
    )


def _headline(label: str, whole: Part) -> Iterable[Element]:
    ours, stock = whole.ours, whole.stock
    if ours is None:
        return
    if stock is None:
        yield el("h1", f"Profile {label}: {megabytes(ours.unpacked)} MB")
        yield el("p", "No PyPI wheel is pinned for a comparison.", class_="lead")
        return
    share = ours.unpacked / stock.unpacked - 1
    change = f"{abs(share):.0%} {'smaller' if share < 0 else 'larger'}"
    yield el(
        "h1", f"Profile {label}: {megabytes(ours.unpacked)} MB instead of {megabytes(stock.unpacked)} MB"
    )
    yield el("p", f"{change} than the PyPI wheels of the same packages.", class_="lead")
    yield el(
        "dl",
        _figure("unpacked", ours.unpacked, stock.unpacked),
        _figure("with bytecode, as pip installs it", ours.installed, stock.installed),
        _figure("wheel files, to download", ours.wheel, stock.wheel),
        class_="figures",
    )


def _figure(label: str, ours: int | None, stock: int | None) -> Element:
    if ours is None or stock is None:
        said: tuple[Child, ...] = (el("small", "not measured: needs the target's own Python"),)
    else:
        said = (
            el("strong", ratio(ours, stock)),
            el("small", f"{megabytes(ours)} of {megabytes(stock)} MB"),
        )
    return el("div", el("dt", label), el("dd", *said))


def _maps(report: Report, whole: Part) -> Iterable[Element]:
    sides = [("PyPI", report.stock, whole.stock), ("ours", report.ours, whole.ours)]
    known = [(name, wheels) for name, wheels, side in sides if side and side.unpacked]
    largest = max(side.unpacked for _, _, side in sides if side)
    smallest = round(largest * _SMALLEST_SHARE)
    trees = [stack_tree(name, wheels, smallest, report.blas_wheel) for name, wheels in known]
    yield el("h2", "What is installed")
    yield el(
        "p",
        "Equal areas are equal bytes, unpacked and without bytecode, in both maps. Packages and their"
        " folders have outlines; small files of a kind share one tile. Point at a tile for its name and"
        " size.",
    )
    yield _legend(whole)
    yield _pair(trees, WIDE, "maps wide")
    yield _pair(trees, NARROW, "maps narrow")


def _pair(trees: list[Node], sheet: Sheet, class_: str) -> Element:
    figures = []
    for tree, width in zip(trees, widths([tree.size for tree in trees], sheet), strict=True):
        caption = el("figcaption", el("strong", tree.name), f" {megabytes(tree.size)} MB")
        share = f"flex: {width:.2f} 1 0; --share: {width / sheet.width:.4f}"
        figures.append(el("figure", caption, treemap(tree, width, width * sheet.aspect), style=share))
    return el("div", *figures, class_=class_)


def _legend(whole: Part) -> Element:
    rows = []
    for kind in KINDS:
        sizes = [(n, s.kinds[kind]) for n, s in (("PyPI", whole.stock), ("ours", whole.ours)) if s]
        if any(size for _, size in sizes):
            sample = el(
                "svg",
                el("rect", width="100%", height="100%", class_=kind_class(kind)),
                class_="sample",
                aria_hidden="true",
            )
            sums = ", ".join(f"{name} {megabytes(size)}" for name, size in sizes)
            rows.append(el("li", sample, el("span", kind), el("small", sums)))
    return el("ul", *rows, class_="legend", aria_label="kinds of file, MB")


def _waterfall(report: Report) -> Iterable[Element]:
    steps = report.waterfall()
    if not steps:
        return
    yield el("h2", "From the PyPI wheels to ours")
    yield el(
        "p",
        "Unpacked, without bytecode. The bytes that a lever or component saved are measured on our build. The"
        " remainder is the rest of the difference between the PyPI wheels and ours.",
    )
    yield waterfall_table(steps)
