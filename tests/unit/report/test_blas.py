"""What the report says of each BLAS: measured on this very library, or not measured."""

from __future__ import annotations

import ast
import io
import json
import runpy
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from spokeshave.bench import Case, Options, Visit, write_json
from spokeshave.bench.findings import assemble, header_of
from spokeshave.bench.imports import pinned_cpus
from spokeshave.bench.model import Catalogue, Install, Measured
from spokeshave.bench.suite import suite_package
from spokeshave.errors import BenchError
from spokeshave.inside.model import file_sha256
from spokeshave.own_code import package_root
from spokeshave.report import blas
from spokeshave.report.blas import ROUTINES, measured
from spokeshave.report.html.blas_table import NOTE, backend_section, backend_tables
from spokeshave.report.html.page import make_page
from spokeshave.report.parts import BLAS
from spokeshave.report.summary import Report, make_report, to_json
from stack import small_report
from support import demo_files, shipped_plan, write_wheel

VERSION = "0.3.31+lean.1"


def comparison(path: Path, threads: int = 1, version: str = VERSION) -> None:
    """A report of the runner: dgemm half as slow again at n=800, dgesv twice as fast at n=50."""
    cases = {
        ("Square.time_dgemm", "50"): (1.0, 1.0),
        ("Square.time_dgemm", "800"): (2.25, 1.0),
        ("Square.time_dgesv", "50"): (0.5, 1.0),
        ("SquareThroughScipy.time_dgemm", "50"): (3.0, 1.0),
    }
    records = []
    for (function, n), (ours, stock) in cases.items():
        case = Case(benchmark=f"bench_blas.{function}", params=(n,))
        visit = Visit(number=1, ours=(ours,) * 4, stock=(stock,) * 4)
        records.append(Measured(case=case, visit=visit))
    installs = {
        "ours": Install(interpreter="a", python="3.11", packages={"slim-openblas": version}),
        "stock": Install(interpreter="b", python="3.11", packages={}),
    }
    header = header_of(
        installs,  # type: ignore[arg-type]
        Catalogue(cases=tuple(record.case for record in records), functions=2),
        Options(threads=threads),
        suite="suite",
        seconds=1,
        seed=0,
        started="now",
    )
    write_json(assemble(header, records), path)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel of the library with the record of its build."""
    files = {
        **demo_files("slim_openblas", VERSION),
        "slim_openblas/lib/libopenblas_slim.so.0": b"o" * 9000,
    }
    path = write_wheel(tmp_path / f"slim_openblas-{VERSION}-py3-none-linux_x86_64.whl", files)
    plan = shipped_plan("openblas")
    record = {
        "plan": plan.digest,
        "wheel": {"sha256": file_sha256(path)},
        "build_plan": plan.to_json(),
        "levers": [],
    }
    path.with_name(path.name.replace(".whl", ".record.json")).write_text(json.dumps(record))
    return path


def printed(reports: dict[str, Report]) -> str:
    console = Console(width=110, record=True, file=io.StringIO())
    for table in backend_tables(reports):
        console.print(table)
    return console.export_text()


def test_without_a_comparison_it_says_so(wheel: Path) -> None:
    report = make_report([wheel], [], {})
    assert report.blas is not None
    assert report.blas.unpacked == report.ours[0].unpacked
    assert (report.blas.stock_unpacked, report.blas.speeds) == (None, ())
    text = printed({"lean": report})
    assert "slim-openblas" in text
    assert "ILP64, LP64" in text
    assert report.blas.integers == ("ilp64", "lp64")
    assert "Not measured: lean (spokeshave bench --blas)" in text
    assert "\N{EM DASH}" not in text
    assert json.loads(json.dumps(to_json(report)))["blas"]["spans"] == []


def test_report_blas_of_any_name_is_the_part_of_the_libraries(wheel: Path) -> None:
    """The wheel's plan says that it provides a BLAS, not a list of names."""
    record = wheel.with_name(wheel.name.replace(".whl", ".record.json"))
    data = json.loads(record.read_text())
    data["build_plan"]["distribution"] = "slim-other-blas"
    renamed = wheel.rename(wheel.with_name(wheel.name.replace("slim_openblas", "slim_other_blas")))
    renamed.with_name(renamed.name.replace(".whl", ".record.json")).write_text(json.dumps(data))
    report = make_report([renamed], [], {})
    assert [part.name for part in report.parts()] == [BLAS]
    assert [part.name for part in replace(report, blas=None).parts()] == ["slim-other-blas"]


def test_the_comparison_beside_the_wheel_is_told(wheel: Path, tmp_path: Path) -> None:
    comparison(tmp_path / "blas-lean.json")
    comparison(tmp_path / "blas-lean-2-threads.json", threads=2)
    comparison(tmp_path / "blas-other.json")
    bundled = {**demo_files("numpy"), "numpy.libs/libscipy_openblas-1.so": b"s" * 30_000}
    stock = write_wheel(tmp_path / "stock" / "numpy-1.0-cp311-cp311-linux_x86_64.whl", bundled)
    report = make_report([wheel], [stock], {})
    assert report.blas is not None
    assert report.blas.stock_unpacked == 30_000
    assert report.blas.series == ((1, "numpy"), (1, "scipy"), (2, "numpy"), (2, "scipy"))
    span = report.blas.span("dgemm", 1, "numpy")
    assert span is not None
    assert (span.mean, span.low, span.high) == pytest.approx((1.5, 1.0, 2.25)), "the geometric mean"
    assert report.blas.span("dgesdd", 1, "numpy") is None
    through_scipy = report.blas.span("dgemm", 1, "scipy")
    assert through_scipy is not None and through_scipy.mean == pytest.approx(3.0)
    lines = printed({"lean": report}).splitlines()
    assert any("1.50" in line and "0.50" in line and "\N{EM DASH}" in line for line in lines)
    told = json.loads(json.dumps(to_json(report)))["blas"]
    assert len(told["speeds"]) == 8
    assert {
        "routine": "dgesv",
        "caller": "numpy",
        "threads": 2,
        "mean": 0.5,
        "low": 0.5,
        "high": 0.5,
    } in told["spans"]
    assert told["speeds"][1]["size"] == 800
    assert told["speeds"][1]["ours"] == pytest.approx(2.25)


def test_what_was_measured_on_another_build_does_not_count(tmp_path: Path) -> None:
    comparison(tmp_path / "blas-lean.json", version="0.3.31+lean.2")
    assert measured(tmp_path, "lean", "slim-openblas", VERSION) == ()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "blas-lean.json").write_text('{"header": 1}')
    with pytest.raises(BenchError, match=r"blas-lean\.json is not a comparison"):
        measured(tmp_path, "lean", "slim-openblas", VERSION)


def test_the_page_has_the_table_once_for_all_profiles(wheel: Path) -> None:
    report = replace(small_report(), blas=make_report([wheel], [], {}).blas)
    page = make_page({"lean": report, "full": report}, "spokeshave report")
    assert page.count(NOTE) == 1
    assert backend_section({"lean": replace(small_report(), blas=None)}) is None
    assert backend_tables({"lean": replace(small_report(), blas=None)}) == []


def test_the_suite_that_ships_times_these_routines() -> None:
    package = suite_package(package_root() / "bench" / "suites" / "blas")
    tree = ast.parse((package / "bench_blas.py").read_text("utf-8"))
    found = {
        node.name: {f.name for f in node.body if isinstance(f, ast.FunctionDef) and f.name != "setup"}
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    routines = {f"time_{routine}" for routine in ROUTINES}
    assert found == {"Square": routines, "SquareThroughScipy": routines}


def test_blas_suite_without_scipy_times_numpy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    path = suite_package(package_root() / "bench" / "suites" / "blas") / "bench_blas.py"
    monkeypatch.setitem(sys.modules, "numpy", types.ModuleType("numpy"))
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert "SquareThroughScipy" not in runpy.run_path(str(path))
    for name in ("scipy", "scipy.linalg"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["scipy.linalg"].blas = sys.modules["scipy.linalg"].lapack = types  # type: ignore[attr-defined]
    assert "SquareThroughScipy" in runpy.run_path(str(path))


def test_every_thread_has_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2, 5})
    assert pinned_cpus(Options()) == (5,)
    assert pinned_cpus(Options(threads=2)) == (5, 2)
    assert pinned_cpus(Options(threads=2, cpu=0)) == (0, 5)
    with pytest.raises(BenchError, match="4 threads need as many CPUs, and this process may use 3"):
        pinned_cpus(Options(threads=4))


def test_only_what_provides_a_blas_is_one() -> None:
    assert blas.is_backend(shipped_plan("scipy-openblas", "upstreamblas").to_json())
    assert not blas.is_backend(shipped_plan("numpy").to_json())
