"""The make step of a library: how many jobs it runs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from spokeshave.build.engines.compile_settings import build_environment
from spokeshave.build.engines.docker import cibuildwheel_config
from spokeshave.inside import make_tree
from spokeshave.inside.run import Command, Finished
from spokeshave.own_code import package_root
from support import shipped_plan

PLAN = shipped_plan("openblas")


def test_make_runs_as_many_jobs_as_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str, ...]] = []

    def failing(command: Command) -> Finished:
        commands.append(command.argv)
        return Finished(argv=command.argv, returncode=2, output="", seconds=0.0)

    monkeypatch.setattr(make_tree, "run", failing)
    with pytest.raises(RuntimeError, match="exited with 2"):
        make_tree.make(PLAN, tmp_path, ["libs"], {}, jobs=7)
    assert [argv[:2] for argv in commands] == [("make", "-j7")]


def test_build_environment_jobs_are_the_cpus_of_the_run() -> None:
    assert build_environment(PLAN, "/project", cpus=7)["SPOKESHAVE_JOBS"] == "7"
    text = cibuildwheel_config(PLAN, "image:1", compiler="x", objects="y", labels=(), cpus=5)
    assert 'SPOKESHAVE_JOBS = "5"' in text.splitlines()
    hook = (package_root() / "inside" / "templates" / "hatch_build.py").read_text("utf-8")
    assert 'jobs = int(os.environ["SPOKESHAVE_JOBS"])' in hook


def test_inside_no_module_counts_cpus() -> None:
    for path in (package_root() / "inside").rglob("*.py"):
        names = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
        }
        assert not names & {"sched_getaffinity", "cpu_count", "process_cpu_count"}, path.name
