"""Sizes compared with the PyPI wheels, bytes saved by lever and component, and verification results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from spokeshave import verdict
from spokeshave.inside.sbom import library_widths
from spokeshave.inside.sizes import Sizes
from spokeshave.inside.wheel import beside, parse_name
from spokeshave.report.blas import Backend, is_backend
from spokeshave.report.blas import measured as measured_speeds
from spokeshave.report.kept_sizes import Measure, Measured
from spokeshave.report.kept_sizes import measure as measure_now
from spokeshave.report.parts import BLAS, Part, parts, total
from spokeshave.report.waterfall import ComponentRow, LeverRow, Step, waterfall


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The values of the report; `kept` are the wheels whose sizes were taken from the store, by file name."""

    ours: tuple[Sizes, ...]
    stock: tuple[Sizes, ...]
    levers: tuple[LeverRow, ...]
    components: tuple[ComponentRow, ...]
    verified: Mapping[str, str]
    blas: Backend | None = None
    kept: tuple[str, ...] = ()

    @property
    def blas_wheel(self) -> str:
        """The distribution that provides the BLAS, by its build plan; empty where none does."""
        return self.blas.distribution if self.blas else ""

    def parts(self) -> tuple[Part, ...]:
        """The stack by package, ours and the PyPI wheels."""
        return parts(self.ours, self.stock, self.blas_wheel)

    def waterfall(self) -> tuple[Step, ...]:
        """The steps from the PyPI wheels to ours; empty if a package has no PyPI wheel here."""
        return waterfall(self.parts(), self.levers, self.components, self.blas_wheel)


def make_report(
    wheels: Iterable[Path],
    stock: Iterable[Path],
    measured: Mapping[str, Mapping[str, int]],
    measure: Measure = measure_now,
) -> Report:
    """Measures the wheels and reads the files next to them.

    `measured` maps a plan's digest to the results of ablation: lever name to bytes saved. `measure` gives the
    sizes of a wheel.
    """
    ours: list[Measured] = []
    levers: list[LeverRow] = []
    components: list[ComponentRow] = []
    verified = {}
    blas: Backend | None = None
    python = ""
    for path in wheels:
        record = json.loads(beside(path, ".record.json").read_text("utf-8"))
        python = record["build_plan"]["target"]["python"]
        ours.append(measure(path, python))
        levers += _levers(path, record, measured.get(record["plan"], {}))
        components += _components(path, record)
        if is_backend(record["build_plan"]):
            blas = _backend(path, record["build_plan"], ours[-1].sizes)
        verified[path.name] = _verdict(beside(path, ".verify.json"), record["wheel"]["sha256"])
    theirs = [measure(path, python) for path in stock]
    stock_sizes = tuple(one.sizes for one in theirs)
    return Report(
        ours=tuple(one.sizes for one in ours),
        stock=stock_sizes,
        levers=tuple(levers),
        components=tuple(components),
        verified=verified,
        blas=blas and replace(blas, stock_unpacked=_bundled_blas(stock_sizes)),
        kept=tuple(one.sizes.name for one in (*ours, *theirs) if one.kept),
    )


def _backend(path: Path, plan: Mapping[str, Any], size: Sizes) -> Backend:
    distribution, version = plan["distribution"], parse_name(path.name).version
    return Backend(
        distribution=distribution,
        version=version,
        integers=library_widths(plan["offers"]),
        unpacked=size.unpacked,
        stock_unpacked=None,
        speeds=measured_speeds(path.parent, plan["profile"], distribution, version),
    )


def _bundled_blas(stock: tuple[Sizes, ...]) -> int | None:
    """The bytes of the BLAS and its run-time in the PyPI wheels, a copy in each of them."""
    return next((row.stock.unpacked for row in parts((), stock, "") if row.name == BLAS and row.stock), None)


def _levers(path: Path, record: Mapping[str, Any], measured: Mapping[str, int]) -> Iterable[LeverRow]:
    rows = {row["name"]: row for row in record["levers"]}
    for setting in record["build_plan"]["levers"]:
        row = rows.get(setting["name"])
        yield LeverRow(
            wheel=parse_name(path.name).distribution,
            lever=setting["name"],
            saved=row["saved"] if row else measured.get(setting["name"]),
            files=row["files"] if row else 0,
            note=row["note"] if row else "acts on the compile",
        )


def _components(path: Path, record: Mapping[str, Any]) -> Iterable[ComponentRow]:
    for row in record.get("components", ()):
        yield ComponentRow(
            wheel=parse_name(path.name).distribution,
            component=row["name"],
            saved=row["saved"],
            files=row["files"],
            reason=row["reason"],
        )


def _verdict(path: Path, sha256: str) -> str:
    """The result of the verification report next to a wheel, if it is about this file."""
    data = verdict.read(path)
    if data is None or data.get("sha256") != sha256:
        return "not verified"
    try:
        fault = verdict.fault_of(data)
    except (KeyError, TypeError):
        fault = "its record is not one of `spokeshave verify`"
    if fault and fault != verdict.FAILED:
        return f"not verified ({fault})"
    word = f"{len(data.get('faults', ()))} faults" if fault else "verified"
    counts = (data.get("comparison") or {}).get("ours", {})
    tests = f", {counts.get('passed', 0):,} upstream tests passed" if counts else ""
    return f"{word} ({data.get('level')}{tests})"


def to_json(report: Report) -> dict[str, object]:
    """The report as JSON-serialisable data; sizes in bytes. It has no single files."""
    rows = report.parts()
    return {
        **_plain(report),
        "from_store": list(report.kept),
        "ours": [_without_files(wheel) for wheel in report.ours],
        "stock": [_without_files(wheel) for wheel in report.stock],
        "parts": [asdict(row) for row in rows],
        "total": asdict(total(rows)),
        "blas": report.blas and report.blas.to_json(),
        "waterfall": [{**asdict(step), "saved": step.saved} for step in report.waterfall()],
    }


def _plain(report: Report) -> dict[str, object]:
    data = asdict(replace(report, ours=(), stock=(), blas=None))
    del data["kept"]
    return data


def _without_files(wheel: Sizes) -> dict[str, object]:
    data = asdict(replace(wheel, files=()))
    del data["files"]
    return data
