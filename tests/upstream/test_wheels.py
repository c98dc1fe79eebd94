"""Upstream's tests beside the stock wheel's, wheel by wheel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def reports(wheelhouse: Path, request: pytest.FixtureRequest) -> list[dict[str, object]]:
    wheels = [str(path) for path in sorted(wheelhouse.glob("*.whl"))]
    argv = [sys.executable, "-m", "spokeshave", "verify", *wheels, "--json"]
    argv += ["--level", str(request.config.getoption("--level"))]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode in (0, 40), done.stdout
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_every_wheel_is_reported(reports: list[dict[str, object]], wheelhouse: Path) -> None:
    assert sorted(str(r["wheel"]) for r in reports) == sorted(p.name for p in wheelhouse.glob("*.whl"))


def test_nothing_that_passes_on_stock_is_lost(reports: list[dict[str, object]]) -> None:
    faults = {report["wheel"]: report["faults"] for report in reports if report["faults"]}
    assert not faults


def test_upstream_tests_ran(reports: list[dict[str, object]]) -> None:
    counts = {str(r["wheel"]): r["comparison"]["ours"]["passed"] for r in reports if r["comparison"]}  # type: ignore[index]
    assert counts
    assert all(count > 500 for count in counts.values()), counts
