"""Where results lie, what is told of them, and how they look: on reports made by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from spokeshave.bench import BenchReport, Case, Options, Visit, read_json, write_json
from spokeshave.bench.checkpoint import Journal
from spokeshave.bench.findings import assemble, header_of
from spokeshave.bench.model import Catalogue, Fault, ImportSamples, Install, Measured, Side
from spokeshave.bench.printing import grid, tables
from spokeshave.bench.results import blas_results, result_name, to_json
from spokeshave.cli import main
from spokeshave.errors import BenchError, WheelError
from spokeshave.report.speed import speed_picture
from words import faults

Invoke = Callable[..., Result]


def install(version: str) -> Install:
    return Install(interpreter="python", python="3.11.7", packages={"demo": version})


def made(ratios: dict[str, list[float]], against: str = "stock") -> BenchReport:
    """A report in which each case has one visit for every ratio."""
    cases = {name: Case(benchmark=f"m.C.time_{name}", params=("4",)) for name in ratios}
    records: list[Measured | ImportSamples] = [
        Measured(case=cases[name], visit=Visit(number=1, ours=(ratio,) * 2, stock=(1.0,) * 2))
        for name, visits in ratios.items()
        for ratio in visits
    ]
    sides: tuple[Side, Side] = ("ours", "stock")
    records += [ImportSamples(module="demo", side=s, seconds=(1.0,), peak_bytes=(2**20,)) for s in sides]
    header = header_of(
        {"ours": install("1+x.1"), "stock": install("1")},
        Catalogue(cases=tuple(cases.values()), functions=len(cases)),
        Options(),
        suite="a suite",
        seconds=1,
        seed=0,
        started="now",
        against=against,
    )
    return assemble(header, records)


RATIOS = {"lasting": [1.7, 1.6, 1.8], "chance": [1.7, 0.9, 1.6], "same": [1.0], "fast": [0.2, 0.25, 0.2]}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("blas", "lean", "stock", 1), "blas-lean.json"),
        (("blas", "lean", "stock", 2), "blas-lean-2-threads.json"),
        (("bench-numpy", "lean", "full", 1), "bench-numpy-lean-against-full.json"),
        (("bench-numpy", "lean", "../other wheels/", 1), "bench-numpy-lean-against-other-wheels.json"),
    ],
)
def test_result_name_each_comparison_has_its_file(words: tuple[str, str, str, int], name: str) -> None:
    what, profile, against, threads = words
    assert result_name(what, profile, against, Options(threads=threads)) == name


def test_a_part_of_a_suite_does_not_take_the_place_of_the_whole() -> None:
    ways = [
        Options(),
        Options(pattern="Sort"),
        Options(pattern="Sort|"),
        Options(environ={"OPENBLAS_CORETYPE": "Haswell"}),
        Options(environ={"OPENBLAS_CORETYPE": "Zen"}),
    ]
    names = [result_name("bench-numpy", "lean", "stock", way) for way in ways]
    assert len(set(names)) == len(ways)
    assert names[1].startswith("bench-numpy-lean-only-Sort-")
    assert names[3].startswith("bench-numpy-lean-with-OPENBLAS_CORETYPE-")


def test_blas_results_are_those_against_pypi(tmp_path: Path) -> None:
    against_stock = [result_name("blas", "lean", "stock", Options(threads=n)) for n in (1, 2, 16)]
    others = [
        ("lean", "full", Options()),
        ("lean", "full", Options(threads=2)),
        ("leaner", "stock", Options()),
        ("lean", "stock", Options(environ={"OPENBLAS_CORETYPE": "Zen"})),
        ("lean", "stock", Options(pattern="gemm")),
    ]
    for name in [*against_stock, *(result_name("blas", *row) for row in others)]:
        (tmp_path / name).touch()
    assert [path.name for path in blas_results(tmp_path, "lean")] == against_stock


def test_to_json_separates_repeating_cases_from_noise() -> None:
    told = json.loads(json.dumps(to_json(made(RATIOS))))
    assert told["repeating"]["1.50"] == ["m.C.time_lasting(4)"]
    rows = {row["case"]: row for row in told["cases"]}
    assert rows["m.C.time_chance(4)"]["ratio"] == pytest.approx(1.6)
    assert rows["m.C.time_chance(4)"]["lasting"] == pytest.approx(1.0)
    assert rows["m.C.time_same(4)"]["lasting"] is None
    assert told["summary"]["over"]["1.5"] == 0.5
    assert told["differs"] == ["demo 1+x.1 / 1"]
    assert told["imports"][0]["memory_ratio"] == 1.0


def test_tables_name_the_other_side() -> None:
    report = replace(made(RATIOS, against="netlib"), interrupted=True)
    console = Console(width=120, file=io.StringIO(), record=True)
    for table in (*tables(report), grid(report)):
        console.print(table)
    text = console.export_text()
    assert "ours / netlib" in text
    assert "1.70 0.90 1.60" in text
    assert "50.0%; in every pair of processes 1" in text
    assert "4 of 4 planned, then interrupted" in text
    assert any(line.split()[0] == "lasting" for line in text.splitlines() if line.strip())


def test_tables_use_none_of_the_avoided_words() -> None:
    case = Case(benchmark="m.C.time_x")
    report = replace(made(RATIOS), faults=(Fault(case=case, side="stock", kind="failed", reason="broken"),))
    console = Console(width=120, file=io.StringIO(), record=True)
    for table in (*tables(report), grid(report)):
        console.print(table)
    text = console.export_text()
    assert "ours / PyPI" in text and "failed: broken" in text
    assert faults(text) == []


def test_earlier_results_are_still_read(tmp_path: Path) -> None:
    """Those before `against`, `lasting`, `interrupted`, `exhaustive` and `names` were written."""
    write_json(made(RATIOS), tmp_path / "old.json")
    data = json.loads((tmp_path / "old.json").read_text())
    del data["header"]["against"], data["header"]["processor"], data["header"]["load"], data["interrupted"]
    del data["header"]["options"]["exhaustive"]
    for row in data["results"]:
        del row["lasting"], row["case"]["names"]
    (tmp_path / "old.json").write_text(json.dumps(data))
    assert read_json(tmp_path / "old.json").header.against == "stock"


def test_the_picture_stands_alone() -> None:
    reports = [("ours <against> PyPI", made(RATIOS)), ("imports alone", made({}))]
    text = speed_picture(reports)
    drawing = fromstring(text)
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert "geometric mean" in drawing.attrib["aria-label"]
    assert "imports alone: 1 imports, in fresh processes, interleaved" in drawing.attrib["aria-label"]
    assert "import demo: time" in text and "import demo: peak memory" in text
    assert "href" not in text
    titles = [str(title.text) for title in drawing.iter("{http://www.w3.org/2000/svg}title")]
    assert titles.count("1.000") == 4, "in both panels the bars of an import's time and memory"
    bars = [title for title in titles if title.startswith("around")]
    assert bars == ["around 0.50: 1", "around 1.00: 1", "around 1.61: 1", "around 1.71: 1"], (
        "0.2 is drawn last"
    )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs `spokeshave bench` in an empty folder, with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    argv = ["--cache", str(tmp_path / "cache"), "bench"]
    return lambda *words: CliRunner().invoke(main, [*argv, *words], catch_exceptions=False)


def test_a_profile_may_be_given_as_its_file(bench: Invoke, tmp_path: Path) -> None:
    """Its wheels are called by its name."""
    (tmp_path / "app.toml").write_text('schema = 1\nname = "app"\nextends = "lean"\nsummary = "x"\n')
    for words in (("--profile", "app.toml"), ("--profile", "stock", "--against", "app.toml")):
        result = bench("numpy", *words)
        assert result.exit_code == WheelError.exit_code, result.output
        assert "no wheel of numpy in profile app" in result.output


def test_results_are_shown_again(bench: Invoke, tmp_path: Path) -> None:
    write_json(made(RATIOS), tmp_path / "r.json")
    shown = bench("--from", "r.json", "--picture", "r.svg")
    assert shown.exit_code == 0, shown.output
    assert "geometric mean" in shown.stdout
    assert (tmp_path / "r.svg").read_text().startswith("<svg")
    (row,) = json.loads(bench("--from", "r.json", "--json").stdout)
    assert (row["file"], row["suite"], row["summary"]["count"]) == ("r.json", "a suite", 4)


def test_bench_interrupted_ends_with_its_code(bench: Invoke, tmp_path: Path) -> None:
    write_json(replace(made(RATIOS), interrupted=True), tmp_path / "r.json")
    shown = bench("--from", "r.json")
    assert shown.exit_code == 130
    assert "geometric mean" in shown.stdout
    assert "4 of 4 cases were measured" in shown.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "name PACKAGEs"),
        (("numpy", "--python", "3.11"), 2, "not a Python tag"),
        (("numpy", "--picture", "no/such/p.svg"), 2, "there is no folder no/such"),
        (("numpy", "--filter", "("), 2, "'('"),
        (("nympy",), 3, "did you mean 'numpy'"),
        (("openblas",), 42, "spokeshave bench --blas"),
        (("numpy", "--profile", "lena"), 3, "did you mean 'lean'"),
        (("numpy", "--env", "OPENBLAS_CORETYPE"), 2, "give it as NAME=VALUE"),
        (("numpy", "--env", "OMP_NUM_THREADS=2"), 2, "--threads says how many"),
        (("numpy", "--wheelhouse", "/dev/null/wheels"), 2, "cannot be written"),
        (("numpy",), 41, "spokeshave build numpy --profile lean"),
        (("--from", "nothing.jsonl"), 2, "nothing.jsonl"),
    ],
)
def test_bench_impossible_request_is_an_error(
    bench: Invoke, words: tuple[str, ...], code: int, told: str
) -> None:
    result = bench(*words)
    assert result.exit_code == code, result.output
    assert told in result.output


def test_journal_that_another_run_writes_is_refused_and_kept(tmp_path: Path) -> None:
    header = made({"x": [1.0]}).header
    with closing(Journal(tmp_path / "run.jsonl")) as first:
        first.begin(header)
        before = (tmp_path / "run.jsonl").read_bytes()
        with (
            pytest.raises(BenchError, match="another benchmark is running"),
            closing(Journal(tmp_path / "run.jsonl")) as second,
        ):
            second.begin(header)
        assert (tmp_path / "run.jsonl").read_bytes() == before != b""
    with closing(Journal(tmp_path / "run.jsonl")) as third:
        third.begin(header)
    assert (tmp_path / "run.jsonl").read_bytes() == before, "what a killed run left is replaced"
