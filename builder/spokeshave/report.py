"""Sizes beside the stock wheel, and what each lever saved: tables and JSON."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from spokeshave.levers import LEVERS
from spokeshave.wheel import parse_name

KINDS = ("tests", "bundled libraries", "ext modules", "Python", "type stubs", "headers, sources", "other")
_SOURCES = (".h", ".hpp", ".a", ".pxd", ".pyx", ".c", ".cpp", ".f", ".f90")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """Bytes of one wheel: the file, its content unpacked, and the content by kind of file."""

    name: str
    wheel: int
    unpacked: int
    kinds: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class LeverRow:
    """What a lever saved on a wheel, in bytes; `saved` is None where no build without it was measured."""

    wheel: str
    lever: str
    saved: int | None
    files: int
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All that the report says."""

    ours: tuple[Sizes, ...]
    stock: tuple[Sizes, ...]
    levers: tuple[LeverRow, ...]
    verified: Mapping[str, str]


def kind_of(name: str) -> str:
    """The kind of file that a name in a wheel stands for."""
    if "/tests/" in name or name.endswith((".tests.zip",)):
        return "tests"
    if ".libs/" in name or "/lib/lib" in name:
        return "bundled libraries"
    if name.endswith(".so"):
        return "ext modules"
    if name.endswith(".pyi") or name.endswith("py.typed"):
        return "type stubs"
    if name.endswith(".py"):
        return "Python"
    return "headers, sources" if name.endswith(_SOURCES) else "other"


def sizes(path: Path) -> Sizes:
    """Measures a wheel; nothing is unpacked."""
    kinds = dict.fromkeys(KINDS, 0)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kinds[kind_of(info.filename)] += info.file_size
    return Sizes(name=path.name, wheel=path.stat().st_size, unpacked=sum(kinds.values()), kinds=kinds)


def make_report(
    wheels: Iterable[Path], stock: Iterable[Path], measured: Mapping[str, Mapping[str, int]]
) -> Report:
    """Measures the wheels and reads what lies beside them.

    `measured` maps a plan's digest to what builds without a lever have shown: lever name to bytes saved.
    """
    ours, levers, verified = [], [], {}
    for path in wheels:
        ours.append(sizes(path))
        stem = path.name.removesuffix(".whl")
        record = json.loads((path.parent / f"{stem}.record.json").read_text("utf-8"))
        rows = {row["name"]: row for row in record["levers"]}
        for setting in record["build_plan"]["levers"]:
            row = rows.get(setting["name"])
            saved = row["saved"] if row else measured.get(record["plan"], {}).get(setting["name"])
            levers.append(
                LeverRow(
                    wheel=parse_name(path.name).distribution,
                    lever=setting["name"],
                    saved=saved,
                    files=row["files"] if row else 0,
                    note=row["note"] if row else "acts on the compile",
                )
            )
        verdict = path.parent / f"{stem}.verify.json"
        verified[path.name] = _verdict(verdict, record["wheel"]["sha256"])
    return Report(
        ours=tuple(ours),
        stock=tuple(sizes(path) for path in stock),
        levers=tuple(levers),
        verified=verified,
    )


def _verdict(path: Path, sha256: str) -> str:
    """What the verification beside a wheel says, where it is about this very file."""
    data = json.loads(path.read_text("utf-8")) if path.is_file() else None
    if data is None or data["sha256"] != sha256:
        return "not verified"
    word = "verified" if data["passed"] else f"{len(data['faults'])} faults"
    counts = (data["comparison"] or {}).get("ours", {})
    tests = f", {counts.get('passed', 0):,} upstream tests passed" if counts else ""
    return f"{word} ({data['level']}{tests})"


def to_json(report: Report) -> dict[str, object]:
    """The report as JSON-serialisable data; sizes in bytes."""
    return asdict(report)


def size_table(report: Report) -> Table:
    """By kind of file: ours beside stock, in MB (10^6 bytes) unpacked, without bytecode."""
    table = Table(title="Unpacked, MB (10^6 bytes), without bytecode")
    table.add_column("")
    for one in report.ours:
        table.add_column(parse_name(one.name).distribution.replace("_", "-"), justify="right")
    table.add_column("ours", justify="right", style="bold")
    table.add_column("stock", justify="right")
    table.add_column("ours/stock", justify="right")
    for kind in KINDS:
        _add_row(
            table, kind, [one.kinds[kind] for one in report.ours], [one.kinds[kind] for one in report.stock]
        )
    table.add_section()
    _add_row(table, "unpacked", [one.unpacked for one in report.ours], [s.unpacked for s in report.stock])
    _add_row(table, "wheel files", [one.wheel for one in report.ours], [s.wheel for s in report.stock])
    return table


def _add_row(table: Table, label: str, ours: list[int], stock: list[int]) -> None:
    total, other = sum(ours), sum(stock)
    ratio = f"{total / other:.2f}" if other else ""
    table.add_row(label, *(_mb(size) for size in (*ours, total, other)), ratio)


def _mb(size: int) -> str:
    return f"{size / 1e6:.2f}" if size else "-"


def lever_table(report: Report) -> Table:
    """What each lever saved on each wheel."""
    summaries = {lever.name: lever.summary for lever in LEVERS}
    table = Table(title="What each lever saved on this wheel, bytes")
    for header, justify in (("wheel", "left"), ("lever", "left"), ("saved", "right"), ("files", "right")):
        table.add_column(header, justify="right" if justify == "right" else "left")
    table.add_column("what")
    for row in report.levers:
        if row.saved == 0 and not row.files:
            continue
        saved = f"{row.saved:,}" if row.saved is not None else "not measured"
        note = summaries[row.lever] + (f" ({row.note})" if row.note else "")
        table.add_row(
            row.wheel.replace("_", "-"), row.lever, saved, f"{row.files:,}" if row.files else "", note
        )
    return table
