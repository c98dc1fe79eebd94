"""Options and fixtures that the suites share."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """A background job of a shell ignores Ctrl-C and hands that on; the tests of Ctrl-C need it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("spokeshave")
    group.addoption("--wheelhouse", type=Path, help="folder with built wheels; default: build lean numpy")
    group.addoption("--level", default="smoke", choices=("smoke", "core", "full"))


@pytest.fixture(scope="session")
def wheelhouse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels to prove: those of --wheelhouse, or a fresh delivery of lean numpy from the store."""
    named = request.config.getoption("--wheelhouse")
    if named:
        return Path(named).resolve()
    folder = tmp_path_factory.mktemp("wheelhouse")
    argv = [sys.executable, "-m", "spokeshave", "build", "numpy", "--output", str(folder)]
    subprocess.run(argv, check=True)
    return folder
