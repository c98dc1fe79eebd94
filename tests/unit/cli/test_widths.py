"""Every table and list of lines that a command prints, at 60 and at 80 columns."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from spokeshave.bench import BenchReport, Case, Options, Visit
from spokeshave.bench.findings import assemble, header_of
from spokeshave.bench.model import Catalogue, Fault, ImportSamples, Install, Measured, Side
from spokeshave.bench.printing import grid, tables
from spokeshave.build.doctor import Check
from spokeshave.cli import explaining, upkeep, verifying
from spokeshave.cli.common import Globals
from spokeshave.cli.slim_wheels import slim_table
from spokeshave.machine.listing import Listing, say
from spokeshave.own_code import package_root
from spokeshave.removal.explain import Explanation, Offer
from spokeshave.report.blas import ROUTINES, Backend, Speed
from spokeshave.report.html.blas_table import backend_tables
from spokeshave.report.summary import Report
from spokeshave.report.terminal import lever_notes, lever_table, size_table
from spokeshave.report.waterfall import ComponentRow, LeverRow
from spokeshave.slim.import_check import Imports
from spokeshave.slim.outcome import Outcome
from spokeshave.verdict import VerifyReport
from stack import small_report
from widths import assert_whole

WIDTHS = (60, 80)
REASON = "neither scikit-learn nor pandas imports it, and no traced run of the service has used it"


def large_report() -> Report:
    """A stack of all kinds of file, in hundreds of MB, with long names of components."""
    small = small_report()
    grown = tuple(
        replace(one, files=tuple(replace(f, size=f.size + 100_000_000) for f in one.files))
        for one in small.ours
    )
    levers = (
        *small.levers,
        LeverRow(wheel="scikit_learn", lever="test-modules", saved=106_677_568, files=12_507, note="a note"),
        LeverRow(wheel="scikit_learn", lever="link-time", saved=None, files=0, note="acts on the compile"),
    )
    parts = [("assembled-docstrings", 102_300_000), ("array-api-compatibility", 1_000)]
    components = [
        ComponentRow(wheel="scikit_learn", component=name, saved=saved, files=7, reason=REASON)
        for name, saved in parts
    ]
    return replace(small, ours=grown, stock=grown, levers=levers, components=tuple(components))


def blas_reports() -> Mapping[str, Report]:
    """Backends of three profiles, two of them measured with one thread and with two."""
    speeds = tuple(
        Speed(
            routine=routine,
            caller=caller,
            size=300,
            threads=threads,
            ratio=1.234,
            low=0.987,
            high=12.345,
            ours=1.0,
            stock=1.0,
        )
        for routine in ROUTINES
        for threads in (1, 2)
        for caller in ("numpy", "scipy")
    )
    backend = Backend(
        distribution="slim-scipy-openblas",
        version="0.3.34.0.1+upstreamblas.1",
        integers=("ilp64", "lp64"),
        unpacked=128_490_000,
        stock_unpacked=159_370_000,
        speeds=speeds,
    )
    small = small_report()
    bare = replace(backend, speeds=())
    return {
        "upstreamblas": replace(small, blas=backend),
        "lean": replace(small, blas=backend),
        "sklearn": replace(small, blas=bare),
    }


def bench_report() -> BenchReport:
    """Long labels, faults on both sides, imports."""
    cases = [
        Case(benchmark=f"bench_core.LongNameOfASuite.time_operation_{at}", params=(str(10**at), "'float64'"))
        for at in range(6)
    ]
    records: list[Measured | ImportSamples | Fault] = [
        Measured(case=case, visit=Visit(number=1, ours=(ratio * 1e-5,) * 2, stock=(1e-5,) * 2))
        for case in cases[:-1]
        for ratio in (1.7, 1.6, 1.8)
    ]
    sides: tuple[Side, Side] = ("ours", "stock")
    records += [
        Fault(case=cases[-1], side=side, kind="failed", reason=f"TypeError: {REASON}") for side in sides
    ]
    records += [
        ImportSamples(module="sklearn.ensemble", side=side, seconds=(1.234, 1.345), peak_bytes=(2**28,))
        for side in sides
    ]
    header = header_of(
        {side: Install(interpreter="python", python="3.11.7", packages={}) for side in sides},
        Catalogue(cases=tuple(cases), functions=len(cases)),
        Options(),
        suite="a suite",
        seconds=1,
        seed=0,
        started="now",
        against="upstreamblas",
    )
    return assemble(header, records)


def outcome() -> Outcome:
    """As far as its row is concerned."""
    savings = [
        SimpleNamespace(lever=name, saved=12_345_678, files=9, folders=(), notes=())
        for name in ("tests", "typing", "sources", "headers", "symbols", "docstrings", "indentation")
    ]
    slimmed = SimpleNamespace(
        before=SimpleNamespace(unpacked=246_780_000),
        after=SimpleNamespace(unpacked=183_010_000),
        savings=savings,
        stock=SimpleNamespace(
            project="opencv-python-headless", slim_version=lambda build: "4.12.0.88+slim.1"
        ),
        settings=SimpleNamespace(build=1),
        smaller=True,
    )
    imports = Imports(imported=("a",) * 1234, faults=(), failing_in_stock={"b": "x"})
    verdict = SimpleNamespace(imports=imports, skipped=False, tests=None)
    return cast("Outcome", SimpleNamespace(slimmed=slimmed, verdict=verdict))


def listings() -> Iterator[tuple[str, Listing]]:
    report = large_report()
    yield "report: sizes", size_table(report)
    yield "report: levers", lever_table(report)
    for at, thing in enumerate(backend_tables(blas_reports())):
        if isinstance(thing, Listing):
            yield f"report: BLAS {at}", thing
    race = bench_report()
    yield "bench: grid", grid(race)
    for table in tables(race):
        yield f"bench: {table.title}", table
    yield "slim", slim_table((outcome(),))
    offers = [
        Offer(
            component=f"scipy/{name}",
            summary="signal processing: filters, windows, spectra, peaks",
            modules=(),
            removed=removed,
            reason=REASON if removed else "",
            weight=weight,
            wheel=None,
        )
        for name, removed, weight in (
            ("assembled-docstrings", True, 107_130_000),
            ("lapack-interfaces", False, None),
        )
    ]
    yield "components", explaining.component_table(offers)
    checks = [
        Check(
            engine="docker", name="image run-compiler", ok=True, found="spokeshave-run-compiler-cp311:96df06"
        ),
        Check(
            engine="host", name="compilers", ok=False, found="no gfortran", mend="apt-get install gfortran"
        ),
    ]
    yield "doctor", upkeep.check_table(checks)


LISTINGS = dict(listings())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LISTINGS)
def test_table_at_width_breaks_no_word_and_cuts_no_number(name: str, width: int) -> None:
    assert LISTINGS[name].rows
    assert_whole(LISTINGS[name], width=width)


@pytest.mark.parametrize("width", WIDTHS)
def test_blas_table_at_width_fits(width: int) -> None:
    for name, table in LISTINGS.items():
        if name.startswith("report"):
            console = Console(file=io.StringIO(), width=width)
            console.print(table)
            lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
            assert max(len(line.rstrip()) for line in lines) <= width, name


def test_table_rows_without_a_measurement_are_in_a_note() -> None:
    text = " ".join(word for row in lever_table(large_report()).rows for word in map(str, row))
    assert "link-time" not in text and "unwind" not in text
    assert lever_notes(large_report()) == [
        "Not measured for numpy: unwind (spokeshave ablate)",
        "Not measured for scikit-learn: link-time (spokeshave ablate)",
    ]
    *_, note = backend_tables(blas_reports())
    assert note == "Not measured: sklearn (spokeshave bench --blas)"


def terminal(width: int) -> tuple[Globals, io.StringIO]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    return Globals(recipes=None, cache=Path(), image="auto", stderr=console, stdout=console), stream


def assert_folded(text: str, words: Counter[str], width: int) -> None:
    assert not words - Counter(text.split())
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_verify_lines_on_a_terminal_are_folded_between_words(width: int) -> None:
    comparison: dict[str, Any] = {
        "ours": {"passed": 61_234, "failed": 1, "skipped": 1_234, "removed": 7_433},
        "stock": {"passed": 69_900, "failed": 12, "skipped": 1_234, "xfailed": 256},
        "skipped": {REASON: ("a",) * 92},
        "removed": {"scipy/assembled-docstrings": ("b",) * 7433},
        "skip_reasons": {"x": 1234},
        "both_failed": (),
    }
    report = VerifyReport(
        wheel="scipy-1.17.1+lean.1-cp311-cp311-linux_x86_64.whl",
        sha256="",
        plan="",
        level="full",
        place="",
        faults=(f"import scipy.stats: {REASON}",),
        imported=1234,
        comparison=comparison,
        flaky={"test_x": ("passed", "failed")},
        passed=False,
    )
    options, stream = terminal(width)
    verifying._show(options, report)
    assert_folded(stream.getvalue(), Counter(REASON.split() * 2), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_explain_lines_on_a_terminal_are_folded_between_words(width: int) -> None:
    found = Explanation(
        module="scipy.ndimage",
        profile="app",
        component="scipy/ndimage",
        reason=REASON,
        offered=None,
        needed="scipy.stats:657 → scipy.stats._mgc:8 → scipy.ndimage._measurements",
        users=("scipy.stats._mgc:8 (module)",) * 12,
        weight={"scipy-1.17.1+lean.1-cp311-linux_x86_64.whl": 12_345_678},
        stubs=(),
    )
    options, stream = terminal(width)
    for line in explaining._lines(found):
        say(options.stdout, line, indent="  ")
    assert_folded(stream.getvalue(), Counter([*REASON.split(), "12,345,678"]), width)


def test_tables_are_all_listings() -> None:
    """All commands lay out tables with this helper, which the tests above check."""
    users = [
        path.relative_to(package_root()).as_posix()
        for path in package_root().rglob("*.py")
        if re.search(r"^(from|import) rich\.(table|columns)", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert users == ["machine/listing.py"]
