"""The result as one self-contained page, in the style of the report of recipes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any
from xml.etree.ElementTree import Element

from spokeshave.report.html.markup import Child, data_table, document, el
from spokeshave.report.terminal import megabytes, ratio

_COLUMNS = ("package", "version", "tier", "why (MB)", "checked", "MB, before", "MB, after", "ratio")
_TEXTS = 5  # of the columns


def make_page(result: Mapping[str, Any]) -> str:
    """The page of `results.to_json`."""
    folder = files("spokeshave.report.html")
    body = el(
        "body",
        el("main", el("section", *_headline(result), *_tables(result), *_notes(result), *_check(result))),
        el(
            "footer",
            el("p", f"Made by spokeshave {result['tool']} with ", el("code", "shrink"), class_="made"),
        ),
    )
    return document(
        title=f"spokeshave shrink: {result['target']}",
        style=(folder / "page.css").read_text("utf-8"),
        script="",
        body=body,
    )


def _headline(result: Mapping[str, Any]) -> Iterable[Element]:
    before, after = result["before"], result["after"]
    yield el("h1", f"{megabytes(after)} MB instead of {megabytes(before)} MB")
    wheels = len([row for row in result["packages"] if "wheel" in row])
    yield el(
        "p",
        f"{wheels} wheels for {result['target']}, unpacked, without bytecode: ",
        el("strong", ratio(after, before)),
        " of PyPI's bytes.",
        class_="lead",
    )


def _tables(result: Mapping[str, Any]) -> Iterable[Element]:
    yield el("h2", "Packages")
    rows = sorted(result["packages"], key=lambda row: row.get("after", 0) - row.get("before", 0))
    yield data_table(_COLUMNS, map(_row, rows), label="packages", text_columns=_TEXTS)
    saved: Counter[str] = Counter()
    for row in rows:
        saved.update({lever["name"]: lever["saved"] for lever in row.get("levers", ())})
    if saved:
        yield el("h2", "Bytes saved by each lever")
        cells = ((name, megabytes(size)) for name, size in saved.most_common() if size > 0)
        yield data_table(("lever", "MB"), cells, label="levers")


def _notes(result: Mapping[str, Any]) -> Iterable[Element]:
    rows = [
        (note["text"], ", ".join(note["packages"]), str(note["files"] or ""), _size(note["size"]))
        for note in result["notes"]
    ]
    if rows:
        yield el("h2", "What the levers left")
        yield data_table(("note", "packages", "files", "MB"), rows, label="notes", text_columns=2)


def _size(size: int) -> str:
    return megabytes(size) if size else ""


def _row(row: Mapping[str, Any]) -> Sequence[Child]:
    if "wheel" not in row:
        return (row["package"], row["version"], row["tier"], row["why"], "", "", "", "")
    checked = f"{row['modules']:,} modules" if row["verified"] else "not checked"
    if row["commands"]:
        checked += f", {row['commands']} commands"
    sizes = megabytes(row["before"]), megabytes(row["after"])
    share = ratio(row["after"], row["before"]) if row["before"] else "new"
    return (row["package"], row["version"], row["tier"], row["why"], checked, *sizes, share)


def _check(result: Mapping[str, Any]) -> Iterable[Element]:
    yield el("h2", "Paired check")
    if result["not-checked"]:
        yield el("p", f"Not checked: {result['not-checked']}.")
        return
    modules = sum(row.get("modules", 0) for row in result["packages"])
    commands = sum(row.get("commands", 0) for row in result["packages"])
    yield el(
        "p",
        f"{modules:,} modules import from both sets, {commands} commands print the same help with both.",
    )
    if tests := result["tests"]:
        yield el("p", tests["summary"])
    failing = [
        (row["package"], f"{len(rows):,}", next(iter(rows.values())))
        for row in result["packages"]
        if (rows := row.get("failing-with-pypi"))
    ]
    if failing:
        yield el("p", "These modules fail with PyPI's wheels too; a missing requirement is the usual reason.")
        yield data_table(("package", "modules", "first reason"), failing, label="failing", text_columns=3)
