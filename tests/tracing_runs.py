"""Runs of a traced program, as a recorder would have told of them."""

from __future__ import annotations

from typing import Any

from spokeshave.trace.record import Kind, Load, Moment, Run


def load(
    module: str,
    *,
    importer: str = "main",
    line: int = 1,
    moment: Moment = "program",
    kind: Kind = "python",
) -> Load:
    """One module that was loaded."""
    return Load(module=module, kind=kind, importer=importer, line=line, moment=moment)


def run_of(*loads: str | Load, kind: Kind = "python", exit_code: int = 0, **more: Any) -> Run:
    """A run of `python -m app` that loaded modules, those given by name for the program itself."""
    rows = {
        "command": ("python", "-m", "app"),
        "date": "2026-01-01T00:00:00+00:00",
        "processes": 1,
        "pythons": ("3.11.7",),
        "versions": {"alpha": ("1.0",)},
    }
    found = tuple(one if isinstance(one, Load) else load(one, kind=kind) for one in loads)
    return Run.model_validate({**rows, "exit_code": exit_code, "loads": found, **more})
