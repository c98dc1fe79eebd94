"""Installers and servers for the tests of indexes: real programs, on loopback, ended by their process id."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import ROOT, wait_until

USER, PASSWORD = "team", "open sesame"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """The venv with pip, uv and the servers."""

    folder: Path

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Installer:
    """pip, the older pip of this Python, or uv: into its own venv, without the settings of this machine."""

    name: str
    tools: Tools
    root: Path

    @property
    def python(self) -> Path:
        return self.root / "venv" / "bin" / "python"

    def install(self, *words: str, index: str | None = None) -> subprocess.CompletedProcess[str]:
        """Installs from `index` alone, or from the indexes among `words`."""
        if not self.python.exists():
            venv.create(self.root / "venv", with_pip=False, symlinks=True)
        if self.name != "uv":
            pip = [self.tools.program("pip")] if self.name == "pip" else [sys.executable, "-P", "-m", "pip"]
            argv = [*pip, "--python", str(self.python), "install", "--no-cache-dir"]
            argv += ["--index-url", index] if index else []
        else:
            argv = [self.tools.program("uv"), "pip", "install", "--no-cache", "--preview"]
            argv += ["--python", str(self.python)]
            argv += ["--default-index", index] if index else []
        return subprocess.run(
            [*argv, *words], env=self._environment(), capture_output=True, text=True, check=False, timeout=300
        )

    def got(self) -> dict[str, str]:
        """What was installed: distribution and version to what its module says."""
        found = {}
        for info in sorted(self.root.glob("venv/lib/*/site-packages/*.dist-info")):
            name, version = info.name.removesuffix(".dist-info").split("-")
            text = (info.parent / name / "__init__.py").read_text()
            found[f"{name}=={version}"] = text.strip().removeprefix("value = ").strip("'")
        return found

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }


def spokeshave(*words: str, cache: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs our command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "spokeshave", "--cache", str(cache), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "builder"), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@contextlib.contextmanager
def running(argv: list[str], log: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, its output in `log`; it is ended by its process id."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            argv, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={**os.environ, **env}
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving(folder: Path, log: Path) -> Iterator[str]:
    """`spokeshave serve` on an index: its address. Ctrl-C must end it in peace."""
    argv = [sys.executable, "-m", "spokeshave", "serve", str(folder), "--port", "0"]
    with running(argv, log, PYTHONPATH=str(ROOT / "builder"), PYTHONUNBUFFERED="1") as process:
        wait_until("serve says where", lambda: "Ctrl-C" in log.read_text() or process.poll() is not None, 120)
        found = re.search(r"http://127\.0\.0\.1:\d+/simple/", log.read_text())
        assert found, log.read_text()
        yield found[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0, log.read_text()
        assert "Traceback" not in log.read_text()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Waits until a server listens; fails with its output where it ends instead."""

    def listens() -> bool:
        if process.poll() is not None:
            pytest.fail(f"the server ended:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        with socket.socket() as one:
            one.settimeout(1)
            return one.connect_ex(("127.0.0.1", port)) == 0

    wait_until("the server listens", listens, 120)


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A package server that runs: where it takes uploads, its simple index, who may upload."""

    upload: str
    simple: str
    user: str = USER
    password: str = PASSWORD

    @property
    def options(self) -> tuple[str, ...]:
        return ("--upload", self.upload, "--simple", self.simple)

    @property
    def env(self) -> dict[str, str]:
        return {"TWINE_USERNAME": self.user, "TWINE_PASSWORD": self.password}


@contextlib.contextmanager
def pypiserver(tools: Tools, folder: Path, *options: str) -> Iterator[Repository]:
    """pypiserver with one user who may upload; it refuses to replace a file."""
    (folder / "packages").mkdir(parents=True)
    accounts = folder / "htpasswd"
    made = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    accounts.write_text(f"{USER}:{{SHA}}{made}\n")
    port = free_port()
    argv = [tools.program("pypi-server"), "run", "-i", "127.0.0.1", "-p", str(port), "-P", str(accounts)]
    argv += ["-a", "update", "--disable-fallback", *options, str(folder / "packages")]
    log = folder / "server.log"
    with running(argv, log) as process:
        wait_for(process, port, log)
        yield Repository(upload=f"http://127.0.0.1:{port}/", simple=f"http://127.0.0.1:{port}/simple/")


@contextlib.contextmanager
def devpi(tools: Tools, folder: Path) -> Iterator[Repository]:
    """devpi-server with one user and that user's index, which has no public base."""
    data, port, log = folder / "data", free_port(), folder / "server.log"
    folder.mkdir(parents=True)
    first = [
        tools.program("devpi-init"),
        "--serverdir",
        str(data),
        "--no-root-pypi",
        "--root-passwd",
        PASSWORD,
    ]
    subprocess.run(first, check=True, capture_output=True, timeout=300)
    argv = [tools.program("devpi-server"), "--serverdir", str(data), "--host", "127.0.0.1"]
    argv += ["--port", str(port), "--argon2-memory-cost", "1024", "--argon2-time-cost", "1"]  # else seconds
    with running(argv, log) as process:
        wait_for(process, port, log)
        root = f"http://127.0.0.1:{port}"
        token = _call(f"{root}/+login", "POST", {"user": "root", "password": PASSWORD})["result"]["password"]
        head = {"X-Devpi-Auth": base64.b64encode(f"root:{token}".encode()).decode()}
        _call(f"{root}/{USER}", "PUT", {"password": PASSWORD}, head)
        _call(f"{root}/{USER}/slim", "PUT", {"type": "stage", "bases": [], "volatile": False}, head)
        yield Repository(upload=f"{root}/{USER}/slim/", simple=f"{root}/{USER}/slim/+simple/")


def _call(url: str, method: str, body: object, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), method=method)
    for key, value in {
        "Content-Type": "application/json",
        "Accept": "application/json",
        **(headers or {}),
    }.items():
        request.add_header(key, value)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as response:
        return json.load(response)
