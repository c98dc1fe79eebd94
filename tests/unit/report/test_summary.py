"""The report adds up, and says what was and was not measured."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from spokeshave.inside.model import file_sha256
from spokeshave.inside.sizes import KINDS, kind_of, sizes
from spokeshave.report import summary as reporting
from spokeshave.report import terminal
from support import demo_files, shipped_plan, write_wheel
from words import faults

FILES = {
    "demo/__init__.py": b"x" * 100,
    "demo/_core.cpython-311-x86_64-linux-gnu.so": b"e" * 2000,
    "demo/_core.pyi": b"s" * 30,
    "demo/py.typed": b"",
    "demo/include/demo.h": b"h" * 40,
    "demo/lib/libdemo.so.0": b"l" * 500,
    "demo.libs/libgomp-1.so": b"g" * 700,
    "demo/tests/test_core.py": b"t" * 300,
    "demo/tests/data.bin": b"d" * 50,
    **{name: data for name, data in demo_files().items() if "dist-info" in name},
}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with the record that a build writes beside it."""
    path = write_wheel(tmp_path / "ours" / "demo-1.0-cp311-cp311-linux_x86_64.whl", FILES)
    plan = shipped_plan("numpy")
    record = {
        "plan": plan.digest,
        "wheel": {"sha256": file_sha256(path)},
        "build_plan": plan.to_json(),
        "levers": [{"name": "tests", "saved": 350, "files": 2, "note": ""}],
    }
    path.with_name(path.name.replace(".whl", ".record.json")).write_text(json.dumps(record))
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("numpy/_core/tests/test_x.py", "tests"),
        ("numpy/_core/tests/data.so", "tests"),
        ("numpy.libs/libgfortran-abc.so.5", "bundled libraries"),
        ("slim_openblas/lib/libopenblas_slim.so.0", "bundled libraries"),
        ("numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so", "ext modules"),
        ("numpy/_core/lib/libnpymath.a", "headers, sources"),
        ("numpy/__init__.pyi", "type stubs"),
        ("numpy/py.typed", "type stubs"),
        ("numpy/__init__.py", "Python"),
        ("numpy/_core/include/numpy/arrayobject.h", "headers, sources"),
        ("numpy-2.4.6.dist-info/METADATA", "other"),
    ],
)
def test_files_are_told_apart(name: str, kind: str) -> None:
    assert kind_of(name) == kind
    assert kind in KINDS


def test_sizes_add_up(wheel: Path) -> None:
    found = sizes(wheel, "cp311")
    assert found.kinds["tests"] == 350
    assert found.kinds["bundled libraries"] == 1200
    assert found.kinds["ext modules"] == 2000
    assert found.unpacked == sum(found.kinds.values()) > sum(map(len, FILES.values()))
    assert found.wheel == wheel.stat().st_size


def test_levers_are_measured_read_or_said_to_be_unknown(wheel: Path) -> None:
    digest = shipped_plan("numpy").digest
    report = reporting.make_report([wheel], [], {digest: {"sections": 1234}})
    rows = {row.lever: row for row in report.levers}
    assert list(rows) == [setting.name for setting in shipped_plan("numpy").levers]
    assert (rows["tests"].saved, rows["tests"].files) == (350, 2)
    assert rows["sections"].saved == 1234
    assert rows["unwind"].saved is None
    assert rows["unwind"].note == "acts on the compile"


def test_the_verdict_beside_the_wheel_is_told(wheel: Path) -> None:
    assert reporting.make_report([wheel], [], {}).verified == {wheel.name: "not verified"}
    verdict = wheel.with_name(wheel.name.replace(".whl", ".verify.json"))
    data = {
        **{"sha256": file_sha256(wheel), "passed": True, "faults": [], "level": "core", "imported": 3},
        "comparison": {"ours": {"passed": 45398}},
    }
    verdict.write_text(json.dumps(data))
    report = reporting.make_report([wheel], [], {})
    assert report.verified[wheel.name] == "verified (core, 45,398 upstream tests passed)"
    verdict.write_text(json.dumps({**data, "passed": False, "faults": ["a", "b"], "comparison": None}))
    assert reporting.make_report([wheel], [], {}).verified[wheel.name] == "2 faults (core)"
    nothing = {**data, "imported": 0, "comparison": None}  # as older versions wrote it
    verdict.write_text(json.dumps(nothing))
    said = reporting.make_report([wheel], [], {}).verified[wheel.name]
    assert said == "not verified (no module was imported and no test passed)"
    verdict.write_text(json.dumps({**data, "sha256": "0" * 64}))
    assert reporting.make_report([wheel], [], {}).verified[wheel.name] == "not verified", "another file's"


def printed(*tables: RenderableType, width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    for table in tables:
        console.print(table)
    return console.export_text().splitlines()


@pytest.fixture
def compared(wheel: Path, tmp_path: Path) -> reporting.Report:
    """A report with a PyPI wheel that is larger than ours by one file."""
    stock = write_wheel(tmp_path / "stock" / wheel.name, {**FILES, "demo/big.py": b"#" * 5_000_000})
    return reporting.make_report([wheel], [stock], {})


def test_tables_show_ours_compared_with_pypi(compared: reporting.Report) -> None:
    lines = printed(terminal.size_table(compared), width=120)
    assert any(line.split()[:2] == ["demo", "ours"] for line in lines)
    assert any(line.split()[0] == "PyPI" and "5.00" in line for line in lines if line.strip())
    lines = printed(terminal.lever_table(compared), width=200)
    assert not any("unwind" in line or "not measured" in line for line in lines)
    (note,) = terminal.lever_notes(compared)
    assert note.startswith("Not measured for demo: ") and "unwind" in note
    assert any("test files moved" in line and "350" in line for line in lines)
    assert faults(" ".join(printed(terminal.size_table(compared), width=200))) == []


@pytest.mark.parametrize(("width", "count"), [(120, 1), (80, 2)])
def test_the_size_tables_fit(compared: reporting.Report, width: int, count: int) -> None:
    names = ("scikit_learn", "demo")
    wheels = [replace(one, name=one.name.replace("demo", n)) for one in compared.stock for n in names]
    large = [
        replace(one, files=tuple(replace(f, size=f.size + 100_000_000) for f in one.files)) for one in wheels
    ]
    report = replace(compared, ours=tuple(large), stock=tuple(large))
    lines = printed(terminal.size_table(report), width=width)
    assert sum("Sizes, MB" in line for line in lines) == count
    assert not any("\N{HORIZONTAL ELLIPSIS}" in line for line in lines)
    assert any("scikit-learn" in line for line in lines)


def test_components_are_read_from_the_record(wheel: Path) -> None:
    assert reporting.make_report([wheel], [], {}).components == ()
    path = wheel.with_name(wheel.name.replace(".whl", ".record.json"))
    row = {"name": "io", "saved": 4321, "files": 3, "reason": "nothing imports it"}
    path.write_text(json.dumps({**json.loads(path.read_text()), "components": [row]}))
    report = reporting.make_report([wheel], [], {})
    assert [(one.wheel, one.component, one.saved) for one in report.components] == [("demo", "io", 4321)]
    lines = printed(terminal.lever_table(report), width=200)
    assert any("without io" in line and "4,321" in line and "nothing imports it" in line for line in lines)


def test_the_report_is_json(compared: reporting.Report) -> None:
    again = json.loads(json.dumps(reporting.to_json(compared)))
    one = compared.ours[0]
    assert again["ours"][0]["unpacked"] == one.unpacked
    assert again["ours"][0]["bytecode"] == one.bytecode
    assert "files" not in again["ours"][0]
    assert again["parts"][0]["stock"]["kinds"]["Python"] >= 5_000_000
    assert again["total"]["ours"]["unpacked"] == one.unpacked == again["waterfall"][-1]["after"]
    assert again["verified"] == {one.name: "not verified"}
