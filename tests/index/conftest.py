"""Real installers and servers, in a venv of the tests' own, from the index that pip is configured with."""

from __future__ import annotations

import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from howtos import PUBLISHED, STACK, Shell, fill, hostile, local_address
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


@pytest.fixture
def shell(tools: Tools, tmp_path: Path) -> Shell:
    """Our wheels in `wheelhouse`, verified, and a service's requirements."""
    fill(tmp_path / "wheelhouse", {name: f"{version}+lean.1" for name, version in STACK.items()}, "ours")
    (tmp_path / "requirements.txt").write_text("app\nnumpy\n")
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (tmp_path / "bin").mkdir()
    for name, argv in {
        "pip": f"{tools.program('pip')} --python {tmp_path}/venv/bin/python",
        "uv": tools.program("uv"),
        "spokeshave": f"{sys.executable} -m spokeshave --cache {tmp_path}/cache",
    }.items():
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec {argv} "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    return Shell(root=tmp_path, tools=tools, public=hostile(tmp_path / "public"), address=local_address())


@pytest.fixture
def served(shell: Shell) -> Iterator[Shell]:
    """The index that the section begins with, published and served by its own commands."""
    publish, serve = PUBLISHED
    assert serve == "spokeshave serve index"
    done = shell.run(publish)
    assert done.returncode == 0, done.stderr
    with shell.serving("index", shell.address):
        yield shell
