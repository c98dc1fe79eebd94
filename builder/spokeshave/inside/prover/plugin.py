"""A pytest plugin that writes every test's outcome as JSON: `-p spokeshave.inside.prover.plugin`.

The path comes from the environment variable SPOKESHAVE_OUTCOMES. Under pytest-xdist only the
controller writes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from spokeshave.inside.stub_message import MARK

_results: dict[str, list[str]] = {}


def pytest_runtest_logreport(report: Any) -> None:
    """Keeps the outcome of a test: of its call, or of the set-up or tear-down that went wrong."""
    if report.when == "call" or report.outcome != "passed":
        _results[report.nodeid] = [_outcome(report), _reason(report)]


def pytest_collectreport(report: Any) -> None:
    """A file that cannot be collected counts as one errored test, a skipped one as skipped."""
    if report.outcome != "passed":
        outcome = "error" if report.outcome == "failed" else report.outcome
        _results[report.nodeid] = [outcome, _reason(report)]


def pytest_sessionfinish(session: Any) -> None:
    """Writes the file, on the controller."""
    if not hasattr(session.config, "workerinput"):
        text = json.dumps(_results, indent=0, sort_keys=True)
        Path(os.environ["SPOKESHAVE_OUTCOMES"]).write_text(text, "utf-8")


def _outcome(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.failed and report.when != "call":
        return "error"
    return str(report.outcome)


def _reason(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail)
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return _end(str(report.longreprtext)) if report.outcome == "failed" else ""


def _end(text: str) -> str:
    """The end of a failure's text, after the last word of a stub where that stands further up."""
    said = [line for line in text.splitlines() if MARK in line]
    kept = text[-1500:]
    return kept if not said or said[-1] in kept else f"{said[-1][:1000]}\n{kept}"
