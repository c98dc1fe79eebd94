"""The recorder in real processes of each Python at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spokeshave.trace.inject import Watch, run_recorded
from spokeshave.trace.record import Lines
from traced import WATCH, Trace, pythons, write_package


@pytest.fixture(params=pythons(), ids=lambda path: Path(path).name)
def python(request: pytest.FixtureRequest) -> str:
    """A Python to trace with."""
    return str(request.param)


@pytest.fixture
def trace(tmp_path: Path, python: str) -> Trace:
    """Runs a script beside the package under the recorder; with what `more` adds to the variables."""
    write_package(tmp_path / "site")

    def run(script: str, *options: str, watch: Watch = WATCH, **more: str) -> tuple[int, Lines]:
        path = tmp_path / "app.py"
        path.write_text(script, "utf-8")
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), **more}
        return run_recorded((python, *options, str(path)), environment, watch, tmp_path / "run")

    return run
