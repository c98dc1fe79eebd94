"""The record of runs: lines of processes, the file, what is told of it."""

from __future__ import annotations

import json
import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from spokeshave.errors import TraceError
from spokeshave.trace.record import Load, Mention, Run, Use, add_run, read_lines, read_record
from spokeshave.trace.session import shown
from tracing_runs import run_of


def test_lines_of_processes_are_merged_and_a_torn_one_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "1.tsv").write_text(
        "start\tstart\t1\t9\tt1\t3.11.7\nload\talpha\text\tmain\t3\tprogram\nload\tbe"
    )
    (tmp_path / "2.tsv").write_text(
        "start\tfork\t2\t1\tt2\t3.13.1\nload\talpha\text\tmain\t3\tprogram\nran\talpha\tf\nnamed\talpha\tbeta\tg\n"
        "mention\talpha\tmain\ndata\talpha/x.csv\nroot\talpha\t/x/alpha\nlost\twhy\nhidden\tpython -I\n"
    )
    lines = read_lines(tmp_path.glob("*.tsv"))
    assert (lines.processes, lines.pythons) == (2, ("3.11.7", "3.13.1"))
    assert lines.loads == (Load(module="alpha", kind="ext", importer="main", line=3, moment="program"),)
    assert lines.uses == (
        Use(module="alpha", user="alpha", function="f"),
        Use(module="alpha", user="beta", function="g"),
    )
    assert lines.mentions == (Mention(name="alpha", user="main"),)
    assert (lines.data, lines.roots) == (("alpha/x.csv",), (("alpha", "/x/alpha"),))
    assert (lines.lost, lines.hidden) == (("why",), ("python -I",))


def test_python_that_was_only_seen_to_start_is_lost(tmp_path: Path) -> None:
    rows = "start\tstart\t1\t9\tt1\t3.11.7\nbegan\tchild\t1\t1\tpython x.py\n"
    (tmp_path / "1.tsv").write_text(rows)
    assert read_lines(tmp_path.glob("*.tsv")).lost == ("a Python process recorded nothing: python x.py",)


def test_a_record_grows_by_runs(tmp_path: Path) -> None:
    path = tmp_path / "new" / "app.json"
    first, second = run_of("alpha", exit_code=3), run_of("beta")
    add_run(path, first)
    add_run(path, second)
    assert read_record(path) == (first, second)
    assert [p.name for p in path.parent.iterdir()] == ["app.json"]


def _add(path: Path, name: str, barrier: Barrier) -> None:
    barrier.wait(60)
    for number in range(10):
        add_run(path, run_of(f"{name}{number}"))


def test_add_run_six_at_once_loses_none(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    path, barrier = tmp_path / "app.json", fork.Barrier(6)
    processes = [fork.Process(target=_add, args=(path, name, barrier)) for name in "abcdef"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 6
    assert {run.loads[0].module for run in read_record(path)} == {
        f"{x}{n}" for x in "abcdef" for n in range(10)
    }
    assert [p.name for p in tmp_path.iterdir()] == ["app.json"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "Invalid JSON"),
        ('{"format": 2, "runs": []}', "format"),
        (json.dumps({"format": 1, "runs": [{"command": []}]}), "runs.0"),
    ],
)
def test_what_is_no_record_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "app.json"
    path.write_text(text)
    with pytest.raises(TraceError, match=told):
        read_record(path)


def test_a_stub_that_was_asked_for_is_missing() -> None:
    assert run_of("alpha", kind="stub").missing == ("alpha",)
    assert run_of("alpha").missing == ()


def test_a_command_is_shown_without_folders_and_not_long() -> None:
    assert shown(("/usr/bin/python3", "-m", "pytest", "./tests/unit")) == "python3 -m pytest unit"
    assert shown(("python", "-c", "a\nb")) == "python -c a b"
    assert shown(("x" * 99,)) == "x" * 59 + "…"


def test_a_run_is_frozen() -> None:
    assert isinstance(hash(run_of("alpha").loads), int)
    assert Run.model_config["frozen"]
