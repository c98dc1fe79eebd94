"""The exhaustive comparison: every parameter combination, and the slow cases that repeat."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from spokeshave.bench import BenchReport, Case, Options, Progress, Visit, read_journal, read_json, write_json
from spokeshave.bench.compare import compare_installs
from spokeshave.bench.exhaustive import exhaustive_tables, repeating
from spokeshave.bench.findings import FURTHER, assemble, header_of
from spokeshave.bench.model import Catalogue, Install, Measured
from spokeshave.bench.results import result_name, to_json
from spokeshave.cli import main
from words import faults

# Ratios of the first pass, then of each further pair.
CASES = {
    "time_repeats(1, 'B')": [1.4, 1.3, 1.5, 1.35],
    "time_repeats(1, <class 'numpy.int64'>)": [1.2, 1.18, 1.2, 1.16],
    "time_noise": [1.4, 1.3, 1.1, 1.3],
    "time_stopped": [1.4, 1.3, 1.3],
    "time_same": [1.0],
    "time_fast": [0.5],
}
WORK = Options(pattern="Work|Cached|module_level", rounds=1, exhaustive=True)


def case_of(label: str) -> Case:
    name, _, params = label.partition("(")
    return Case(
        benchmark=f"m.C.{name}",
        params=tuple(params[:-1].split(", ")) if params else (),
        names=("step", "dtype"),
    )


@pytest.fixture
def report() -> BenchReport:
    cases = {label: case_of(label) for label in CASES}
    records = [
        Measured(case=cases[label], visit=Visit(number=1, ours=(ratio,) * 2, stock=(1.0,) * 2))
        for label, ratios in CASES.items()
        for ratio in ratios
    ]
    install = Install(interpreter="python", python="3.11.7", packages={})
    header = header_of(
        {"ours": install, "stock": install},
        Catalogue(cases=tuple(cases.values()), functions=5),
        Options(exhaustive=True),
        suite="a suite",
        seconds=0,
        seed=0,
        started="now",
    )
    return assemble(header, records)


def text_of(report: BenchReport) -> str:
    console = Console(width=140, file=io.StringIO(), record=True)
    for table in exhaustive_tables(report):
        console.print(table)
    return console.export_text()


def test_repeating_needs_every_further_pair_above_the_bound(report: BenchReport) -> None:
    names = [result.case.params[1] for result in repeating(report)]
    assert names == ["'B'", "<class 'numpy.int64'>"]
    assert [len(repeating(report, bound)) for bound in (1.17, 1.29, 1.3)] == [1, 1, 0]
    assert report.unchecked == 1, "the one with two further pairs"


def test_assemble_exhaustive_mean_is_that_of_the_first_pass(report: BenchReport) -> None:
    assert report.summary is not None
    assert report.summary.mean == pytest.approx((1.4**3 * 1.2 * 0.5) ** (1 / 6))
    slowest = repeating(report)[0]
    assert slowest.ratio == pytest.approx(1.35), "the visit that selected a case does not count"


def test_exhaustive_json_lists_what_repeats(report: BenchReport) -> None:
    found = json.loads(json.dumps(to_json(report)))["exhaustive"]
    assert (found["cases"], found["above_in_first_pass"], found["not_remeasured"]) == (6, 4, 1)
    assert found["share_repeating"] == pytest.approx(2 / 6)
    assert found["repeating_above"] == {"1.15": 2, "1.30": 0}
    assert found["worst"]["name"] == "C.time_repeats (uint8)"
    assert found["repeating"][1]["pairs"] == pytest.approx([1.18, 1.2, 1.16])
    assert found["repeating"][1]["case"] == "m.C.time_repeats(1, <class 'numpy.int64'>)"


def test_exhaustive_tables_name_parameters_and_shares(report: BenchReport) -> None:
    text = text_of(report)
    assert "1.30 1.50 1.35" in text and "C.time_repeats (uint8)" in text
    assert "2 (33.3% of all cases)" in text and "4 (66.7% of all cases)" in text
    assert "time_noise" not in text
    assert faults(text) == []


def test_compare_exhaustive_times_every_case_without_a_limit(
    tmp_path: Path, suite: Path, ours: Path, stock: Path
) -> None:
    seen: list[Progress] = []
    journal = tmp_path / "run.jsonl"
    report = compare_installs(
        ours, stock, suite, seconds=0, options=WORK, journal=journal, on_progress=seen.append
    )
    assert (len(report.results), report.not_taken, report.unchecked) == (8, 0, 0)
    assert {len(result.visits) for result in report.results} == {1 + FURTHER}
    assert len(repeating(report)) == 8
    assert seen[-1].planned == seen[-1].done == 8 * FURTHER
    assert len(repeating(read_journal(journal))) == 8
    write_json(report, tmp_path / "r.json")
    assert read_json(tmp_path / "r.json") == report


def test_compare_exhaustive_fast_cases_are_not_re_measured(suite: Path, ours: Path, stock: Path) -> None:
    report = compare_installs(stock, ours, suite, seconds=0, options=WORK)
    assert {len(result.visits) for result in report.results} == {1}
    assert (repeating(report), report.unchecked) == ((), 0)


def stop_at(phase: str, done: int) -> Callable[[Progress], None]:
    def stop(progress: Progress) -> None:
        if (progress.phase, progress.done) == (phase, done):
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize(("at", "timed", "unchecked"), [(("first pass", 3), 3, 3), (("outliers", 20), 8, 4)])
def test_compare_exhaustive_ctrl_c_keeps_the_results(  # noqa: PLR0917  (fixtures)
    suite: Path, ours: Path, stock: Path, at: tuple[str, int], timed: int, unchecked: int
) -> None:
    report = compare_installs(ours, stock, suite, options=WORK, on_progress=stop_at(*at))
    assert report.interrupted
    assert (len(report.results), report.unchecked) == (timed, unchecked)
    assert len(repeating(report)) == timed - unchecked
    assert f"{timed} of 8, then interrupted" in text_of(report)


def test_bench_from_shows_an_exhaustive_file_again(
    report: BenchReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_json(report, tmp_path / "r.json")
    words = ["--cache", str(tmp_path / "cache"), "bench", "--from", "r.json"]
    shown = CliRunner().invoke(main, words, catch_exceptions=False)
    assert shown.exit_code == 0, shown.output
    assert "worst" in shown.stdout and "C.time_repeats (uint8)" in shown.stdout
    (row,) = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert row["exhaustive"]["repeating_above"]["1.15"] == 2


def test_bench_exhaustive_with_blas_is_a_usage_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--cache", str(tmp_path / "cache"), "bench", "--blas", "--exhaustive"]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 2
    assert "--exhaustive is for benchmark suites" in done.output


def test_result_name_exhaustive_has_its_file() -> None:
    ways = [Options(), Options(exhaustive=True), Options(exhaustive=True, pattern="Sort")]
    names = [result_name("bench-numpy", "lean", "stock", way) for way in ways]
    assert names[:2] == ["bench-numpy-lean.json", "bench-numpy-lean-exhaustive.json"]
    assert names[2].startswith("bench-numpy-lean-exhaustive-only-Sort-")
