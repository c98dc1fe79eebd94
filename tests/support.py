"""What several suites need: plans without a machine, wheels written by hand, a real Docker or a skip."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import pytest
from rich.console import Console

from spokeshave.build.pgo.use import choose
from spokeshave.build.plan import make_plan
from spokeshave.context import Context
from spokeshave.inside.model import BuildPlan, Environment, Target
from spokeshave.inside.run import run
from spokeshave.machine.progress import PlainReporter
from spokeshave.machine.store import Store
from spokeshave.machine.toolchain import missing_tools
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.select import library_names

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "recipes"
TARGET = Target()
WHERE = Environment(engine="docker", image="build:1", image_digest="sha256:" + "1" * 64)
TOOL = {"compile": "c" * 64, "finish": "f" * 64}


def make_context(
    root: Path,
    *,
    said: IO[str] | None = None,
    recipes: Path = RECIPES,
    cache: Path | None = None,
    logs: Path | None = None,
) -> Context:
    """What the stages work with, below a test's folder; `said` takes what the reporter says."""
    reporter = PlainReporter(Console(file=io.StringIO() if said is None else said))
    return Context(
        book=RecipeBook([recipes]),
        store=Store(root=cache or root / "cache", say=reporter.say),
        runner=run,
        reporter=reporter,
        logs=logs or root / "logs",
        environ=os.environ,
        cpus=2,
    )


def shipped_plan(
    package: str,
    profile: str = "lean",
    *,
    recipes: Path = RECIPES,
    where: Environment = WHERE,
    tool: Mapping[str, str] = TOOL,
    without: frozenset[str] = frozenset(),
) -> BuildPlan:
    """The plan of a recipe and of the libraries it links, for an image that need not exist."""
    book = RecipeBook([recipes])
    loaded = book.load(package)
    libraries = tuple(
        shipped_plan(name, profile, recipes=recipes, where=where, tool=tool)
        for name in library_names(loaded.recipe, book.profile(profile))
    )
    plan = make_plan(
        loaded,
        book.profile(profile),
        TARGET,
        where,
        tool=tool,
        libraries=libraries,
        without=without,
    )
    return choose(loaded, plan, anywhere=True)[0]


def record_row(name: str, data: bytes) -> str:
    """A line of RECORD, written out here so that the tests do not lean on the code under test."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def demo_files(name: str = "demo", version: str = "1.0") -> dict[str, bytes]:
    """The content of a small sound wheel, without its RECORD."""
    info = f"{name}-{version}.dist-info"
    return {
        f"{name}/__init__.py": b"value = 1\n",
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\nText.\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }


def write_wheel(path: Path, files: Mapping[str, bytes], record: str | None = None) -> Path:
    """Writes a wheel with the plain zip module; `record` replaces the RECORD that would be right."""
    info = "-".join(path.name.split("-")[:2]) + ".dist-info"
    if record is None:
        record = "".join(record_row(*item) for item in files.items()) + f"{info}/RECORD,,\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", record)
    return path


def docker_fault() -> str:
    """Why no Docker test can run here; empty where the daemon answers."""
    if not shutil.which("docker"):
        return "no docker client is installed"
    done = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "" if done.returncode == 0 else f"Docker does not answer: {done.stderr.strip()[-200:]}"


def wait_until(what: str, ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for something that must come about; the limit only keeps a broken test from hanging."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


needs_compiler = pytest.mark.skipif(
    bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}"
)
