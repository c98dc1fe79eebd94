"""A picture of benchmark results: the spread of the ratios, their mean, the slowest and fastest cases."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from spokeshave.bench.findings import BenchReport, CaseResult
from spokeshave.bench.model import side_title
from spokeshave.report.html.markup import Child, el, standalone

_WIDTH, _MARGIN = 1000.0, 28.0
_PLOT = 220.0  # height of the bars
_STEP = math.log(1.02)  # width of a bar, in logarithms of the ratio
_MOST = 35  # bars on either side of 1: from half of the other side's time to twice
_TICKS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
_SHOWN, _ROW = 20, 19.0
_SLOW, _SAME, _FAST = "#b3432b", "#8a857c", "#2f74b5"
_STYLE = (
    'text{font:13px system-ui,"DejaVu Sans",sans-serif;fill:#1c1b19}'
    ".title{font-size:17px;font-weight:600}.soft{fill:#5c5851}.end{text-anchor:end}.middle{text-anchor:middle}"
    ".axis{stroke:#5c5851}.grid{stroke:#d9d5cc;stroke-dasharray:2 3}.mean{stroke:#1c1b19;stroke-width:2}"
)


def speed_picture(reports: Sequence[tuple[str, BenchReport]]) -> str:
    """One SVG with a panel for each comparison (title and report), one below the other, in a single file."""
    panels, top = [], 0.0
    for title, report in reports:
        drawn, height = _panel(title, report)
        panels.append(el("g", *drawn, transform=f"translate(0 {top:.0f})"))
        top += height
    label = "; ".join(_words(title, report) for title, report in reports)
    return standalone(*panels, width=_WIDTH, height=top, style=_STYLE, label=label)


def _words(title: str, report: BenchReport) -> str:
    found = report.summary
    if found is None and report.imports:
        return f"{title}: {len(report.imports)} imports, in fresh processes, interleaved"
    if found is None:
        return f"{title}: nothing was measured"
    over = " and ".join(f"{found.over[bound]:.1%} above {bound:.2f}" for bound in (1.10, 1.15))
    return (
        f"{title}: geometric mean {found.mean_by_function:.3f} over {found.functions} functions,"
        f" {found.mean:.3f} over {found.count} cases, {over}"
    )


def _panel(title: str, report: BenchReport) -> tuple[list[Child], float]:
    """The elements of one comparison, and their height."""
    heading = el("text", title, x=_MARGIN, y=34, class_="title")
    words = _words(title, report).removeprefix(f"{title}: ")
    drawn: list[Child] = [heading, el("text", words, x=_MARGIN, y=56, class_="soft")]
    top = 76.0
    if report.summary:
        drawn.append(el("g", *_spread(report), transform=f"translate(0 {top:.0f})"))
        top += _PLOT + 62
        rows = min(_SHOWN, (len(report.results) + 1) // 2)
        slow, fast = report.extremes(rows)
        for left, name, results in ((_MARGIN, "slowest", slow), (_WIDTH / 2 + 8, "fastest", fast)):
            drawn.append(el("g", *_cases(name, results), transform=f"translate({left:.0f} {top:.0f})"))
        top += (rows + 1) * _ROW + 12
    for row in report.imports:
        for what, ratio in (("time", row.time_ratio), ("peak memory", row.memory_ratio)):
            drawn.append(el("g", *_import(row.module, what, ratio), transform=f"translate(0 {top:.0f})"))
            top += _ROW
    return drawn, top + 16


def _import(module: str, what: str, ratio: float) -> list[Child]:
    """A bar from nothing to the ratio, and a line at the end of the other side's bar."""
    left, whole = 330.0, (_WIDTH - _MARGIN - 330.0) / 2  # the other side's bar takes half of the room
    length = whole * min(ratio, 2.0)
    return [
        el("text", f"import {module}: {what}", x=_MARGIN, y=13),
        el("text", f"{ratio:.2f}", x=left - 8, y=13, class_="end"),
        el(
            "rect", el("title", f"{ratio:.3f}"), x=left, y=3, width=length, height=_ROW - 6, fill=_fill(ratio)
        ),
        el("line", x1=left + whole, x2=left + whole, y1=0, y2=_ROW, class_="grid"),
    ]


def _x(ratio: float) -> float:
    """The position of a ratio on the axis."""
    reach = (_MOST + 1) * _STEP
    share = (max(-reach, min(reach, math.log(ratio))) + reach) / (2 * reach)
    return _MARGIN + share * (_WIDTH - 2 * _MARGIN)


def _spread(report: BenchReport) -> list[Child]:
    """The histogram; ratios beyond the axis are in its outermost bars."""
    bars = Counter(
        max(-_MOST, min(_MOST, round(math.log(result.ratio) / _STEP))) for result in report.results
    )
    highest = max(bars.values())
    drawn: list[Child] = [_bar(at, count, highest) for at, count in sorted(bars.items())]
    for tick in _TICKS:
        x = _x(tick)
        drawn.append(el("line", x1=x, x2=x, y1=0, y2=_PLOT, class_="grid"))
        drawn.append(el("text", f"{tick:.2f}", x=x, y=_PLOT + 18, class_="middle soft"))
    drawn.append(el("line", x1=_MARGIN, x2=_WIDTH - _MARGIN, y1=_PLOT, y2=_PLOT, class_="axis"))
    axis = f"time, ours / {side_title(report.header.against)} (logarithmic; to the right: ours is slower)"
    drawn.append(el("text", axis, x=_WIDTH / 2, y=_PLOT + 38, class_="middle soft"))
    assert report.summary is not None
    x = _x(report.summary.mean_by_function)
    drawn.append(el("line", x1=x, x2=x, y1=-6, y2=_PLOT, class_="mean"))
    mean = f"geometric mean {report.summary.mean_by_function:.3f}"
    drawn.append(el("text", mean, x=x + 6, y=4))
    return drawn


def _bar(at: int, count: int, highest: int) -> Element:
    left, right = _x(math.exp((at - 0.5) * _STEP)), _x(math.exp((at + 0.5) * _STEP))
    height = (_PLOT - 14) * count / highest
    words = el("title", f"around {math.exp(at * _STEP):.2f}: {count}")
    place = {"x": left + 0.5, "y": _PLOT - height, "width": right - left - 1, "height": height}
    return el("rect", words, fill=_fill(math.exp(at * _STEP)), **place)


def _fill(ratio: float) -> str:
    """The colour of a bar: neutral for ratios between 0.9 and 1.1."""
    return _SLOW if ratio > 1.1 else _FAST if ratio < 0.9 else _SAME


def _cases(name: str, results: Sequence[CaseResult]) -> list[Child]:
    room = int((_WIDTH / 2 - 90) / 7.2)  # characters
    drawn: list[Child] = [el("text", f"{name} (grey: not in every pair of processes)", class_="soft")]
    for at, result in enumerate(results, 1):
        label = result.case.label
        label = label if len(label) <= room else f"{label[: room - 1]}…"
        lasting = result.lasting is not None and result.lasting != 1
        colour = (_SLOW if result.ratio > 1 else _FAST) if lasting else _SAME
        bold = el("text", f"{result.ratio:.2f}", x=34, y=at * _ROW, class_="end")
        bold.set("style", f"fill:{colour};font-weight:600")
        drawn.append(bold)
        drawn.append(el("text", el("title", result.case.label), label, x=42, y=at * _ROW))
    return drawn
