"""The whole course with real worker processes; the made-up suite brings its own clock."""

from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.bench import BenchError, Options, Progress, compare_installs, read_journal
from spokeshave.bench.compare import Labels
from spokeshave.bench.dialogue import Worker, WorkerError, fixed_environment

# Far more time than it needs: on a busy machine nothing may be left out.
FAST = Options(pattern="bench_work", rounds=2, modules=("json",), import_rounds=1, timeout=600)


def test_a_whole_comparison(tmp_path: Path, suite: Path, ours: Path, stock: Path) -> None:
    seen: list[Progress] = []
    journal = tmp_path / "run.jsonl"
    report = compare_installs(
        ours, stock, suite, seconds=3600, options=FAST, journal=journal, on_progress=seen.append
    )
    ratios = {result.case.label: result.ratio for result in report.results}
    assert len(ratios) == 8
    assert all(ratio == pytest.approx(3) for ratio in ratios.values()), ratios
    assert all(len(result.visits) == 3 for result in report.results), "checked twice again"
    assert all(result.lasting == pytest.approx(3) for result in report.results)
    assert report.repeating(1.5) == report.results
    assert report.summary is not None
    assert report.summary.mean == pytest.approx(3)
    assert (report.not_taken, report.unchecked, report.header.other_types) == (0, 0, 1)
    assert report.header.planned == 12
    assert report.where() == {
        "bench_work.Faulty.time_it('ours')": "ours",
        "bench_work.Faulty.time_it('both')": "both",
        "bench_work.Faulty.time_it('skipped')": "both",
        "bench_work.Faulty.time_it('crash')": "stock",
    }
    assert {fault.kind for fault in report.faults} == {"failed", "skipped", "crashed"}
    assert list(report.header.broken["ours"]) == ["benchmarks.bench_broken"]
    assert [row.module for row in report.imports] == ["json"]
    assert {progress.phase for progress in seen} == {"first pass", "outliers", "imports"}
    assert not list(suite.rglob("__pycache__")), "the suite itself is not written to"
    assert read_journal(journal) == replace(report, interrupted=True), "a run that ends removes it"


def test_a_cut_journal_still_gives_a_report(tmp_path: Path, suite: Path, ours: Path, stock: Path) -> None:
    journal = tmp_path / "run.jsonl"
    options = Options(pattern="Work", rounds=1, max_cases=2)
    compare_installs(ours, stock, suite, seconds=60, options=options, journal=journal)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2]) + lines[2][:20])
    report = read_journal(journal)
    assert len(report.results) == 1
    assert report.results[0].lasting is None
    assert (report.not_taken, report.unchecked) == (1, 1)
    journal.write_bytes(lines[0][:20])
    with pytest.raises(BenchError, match="before its first measurement"):
        read_journal(journal)


def test_ctrl_c_keeps_what_was_measured(suite: Path, ours: Path, stock: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    options = Options(pattern="Work", rounds=1, modules=("json",))
    report = compare_installs(ours, stock, suite, seconds=3600, options=options, on_progress=stop)
    assert report.interrupted
    assert (len(report.results), report.not_taken, report.imports) == (2, 4, ())


def test_the_report_says_who_it_was(suite: Path, ours: Path, stock: Path) -> None:
    labels = Labels(suite="a made-up suite", against="another build")
    report = compare_installs(ours, stock, suite, options=Options(max_cases=0), labels=labels)
    assert (report.header.suite, report.header.against) == ("a made-up suite", "another build")
    assert (report.summary, report.interrupted) == (None, False)


def test_the_budget_never_costs_a_function(suite: Path, ours: Path, stock: Path) -> None:
    options = Options(pattern="Work|Cached|module_level", rounds=1)
    report = compare_installs(ours, stock, suite, seconds=0, options=options)
    assert report.summary is not None
    assert report.summary.functions == report.header.functions == 3
    assert report.not_taken == 5
    assert {len(result.visits) for result in report.results} == {2}, "slow, so that it was checked again"


def test_what_is_much_faster_is_checked_again_as_what_is_much_slower(
    suite: Path, ours: Path, stock: Path
) -> None:
    """Or what was fast by chance would stay in the mean, and what was slow by chance would not."""
    options = Options(pattern="Work|Cached|module_level", rounds=1)
    report = compare_installs(stock, ours, suite, seconds=0, options=options)
    assert {len(result.visits) for result in report.results if result.ratio < 1 / 1.3} == {2}


def one_module(folder: Path, text: str) -> Path:
    """A benchmark package of one module, bench_all, which has a benchmark after the given text."""
    package = folder / "benchmarks"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "bench_all.py").write_text(f"{text}\n\ndef time_it():\n    pass\n")
    return package


def test_a_suite_that_does_not_import_is_an_error(tmp_path: Path, stock: Path) -> None:
    package = one_module(tmp_path, "import no_such_module")
    with pytest.raises(BenchError, match="1 modules of the suite do not import") as caught:
        compare_installs(stock, stock, package)
    assert "bench_all" in caught.value.next_step and "no_such_module" in caught.value.next_step


def test_what_the_user_sets_reaches_both_sides(tmp_path: Path, stock: Path) -> None:
    package = one_module(tmp_path, 'import os\n\nassert os.environ["ASKED"] == "for"')
    report = compare_installs(stock, stock, package, options=Options(rounds=1, environ={"ASKED": "for"}))
    assert not any(report.header.broken.values()) and len(report.results) == 1


def test_a_silent_worker_is_given_up(tmp_path: Path, suite: Path, stock: Path) -> None:
    worker = Worker(stock, suite / "benchmarks", tmp_path / "home", cpus=(0,), extra={})
    try:
        worker.ask("prepare", timeout=60, name="bench_slow.time_slow", index=0)
        with pytest.raises(WorkerError, match="no answer") as caught:
            worker.ask("measure", timeout=0.1, number=1, fresh=False)
        assert caught.value.kind == "timeout"
        assert not worker.alive
    finally:
        worker.close()


def test_what_cannot_be_compared_is_told(tmp_path: Path, suite: Path, stock: Path) -> None:
    with pytest.raises(BenchError, match="no benchmark package"):
        compare_installs(stock, stock, tmp_path)
    with pytest.raises(BenchError, match=r"no name of the \d benchmarks matches 'nought'"):
        compare_installs(stock, stock, suite, options=Options(pattern="nought"))
    with pytest.raises(BenchError, match=r"ours, .*no-such-python"):
        compare_installs(tmp_path / "no-such-python", stock, suite)
    with pytest.raises(BenchError):
        compare_installs(tmp_path / "no-such-python", stock, suite, journal=tmp_path / "run.jsonl")
    assert not (tmp_path / "run.jsonl").exists()
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec "{stock}" -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(BenchError, match="asv_runner"):
        compare_installs(bare, stock, suite)


def test_the_environment_takes_nothing_from_the_callers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    fixed = fixed_environment(Path("/venv/bin/python"), tmp_path, {"EXTRA": "1"})
    assert "OPENBLAS_CORETYPE" not in fixed
    assert fixed["OMP_NUM_THREADS"] == fixed["EXTRA"] == "1"
    assert fixed["PATH"].startswith("/venv/bin:")
    two = fixed_environment(Path("/venv/bin/python"), tmp_path, {}, threads=2)
    assert two["OPENBLAS_NUM_THREADS"] == "2"
