"""Real installers and servers, in a venv of the tests' own, from the index that pip is configured with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from indexing import Installer, Tools
from venvs import kept_venv

REQUIREMENTS = ("pip>=26.1,<27", "uv>=0.8,<1", "devpi-server>=6.14,<7", "pypiserver[passlib]>=2.3,<3")


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The venv, made once for these requirements and this Python, in the user's cache."""
    return Tools(folder=kept_venv("index-tools", sys.executable, REQUIREMENTS))


@pytest.fixture(params=["pip", "uv"])
def installer(request: pytest.FixtureRequest, tools: Tools, tmp_path: Path) -> Installer:
    """pip and uv in turn."""
    return Installer(name=request.param, tools=tools, root=tmp_path)
