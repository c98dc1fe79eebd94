"""The small project with its own recipes in a folder, and the command run on it as users run it."""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shaveling import PATCH, PROFILE, RECIPE, sdist
from spokeshave.build.images.local import local_image
from spokeshave.errors import EngineMissing
from spokeshave.inside.model import Target, file_sha256
from spokeshave.machine.containers import RUN, object_cache
from spokeshave.machine.owners import Owner
from spokeshave.machine.toolchain import find_python, missing_tools
from support import RECIPES, docker_fault

ENGINES = [pytest.param("docker", marks=pytest.mark.docker), pytest.param("host")]


def locked_test_requirements() -> str:
    """Of numpy's locked test requirements those that the prover itself needs."""
    names = (
        "execnet",
        "iniconfig",
        "packaging",
        "pluggy",
        "pygments",
        "pytest",
        "pytest-timeout",
        "pytest-xdist",
    )
    text = (RECIPES / "numpy" / "test-requirements.txt").read_text("utf-8")
    rows = {row.partition("==")[0]: row for row in re.findall(r"(?m)^\S+==(?:.*\\\n)*.*$", text)}
    return "".join(f"{rows[name]}\n" for name in names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How one run of the command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def built(self) -> dict[str, Any]:
        """The one row that `build --json` has written."""
        assert self.code == 0, self.stderr
        (row,) = json.loads(self.stdout)
        return dict(row)


@dataclass(kw_only=True, slots=True)
class Started:
    """A run that goes on, with its output in files."""

    process: subprocess.Popen[bytes]
    place: Path

    @property
    def stderr(self) -> str:
        return self.place.with_suffix(".err").read_text()

    def containers(self) -> list[str]:
        """The containers that carry this run's label, running or not."""
        words = ["--all", "--filter", f"label={RUN}", "--format", '{{.ID}} {{.Label "' + RUN + '"}}']
        listed = subprocess.run(["docker", "ps", *words], check=True, capture_output=True, text=True)
        rows = [line.split(" ") for line in listed.stdout.splitlines()]
        owners = {row[0]: Owner.parse(row[1]) for row in rows}
        return [name for name, owner in owners.items() if owner and owner.pid == self.process.pid]

    def end(self) -> Run:
        """Waits for the end, however long it takes within reason."""
        code = self.process.wait(600)
        return Run(code=code, stdout=self.place.with_suffix(".out").read_text(), stderr=self.stderr)

    def stop(self) -> None:
        """For tests that failed: ends it and its children."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(120)


@dataclass(frozen=True, kw_only=True, slots=True)
class Small:
    """A project, its recipes and a cache, below one folder."""

    folder: Path
    cache: Path
    engine: str
    extra_env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.engine == "docker":
            atexit.register(self.forget_objects)
        if not self.cache.exists():
            shutil.copytree(what_all_need(), self.cache)

    def forget_objects(self) -> None:
        """Removes the volume with what was compiled for this cache."""
        volume = object_cache(self.cache.resolve())
        subprocess.run(["docker", "volume", "rm", "--force", volume], stdout=subprocess.DEVNULL, check=False)

    def forget_builds(self) -> None:
        """Takes what was compiled and built out of the store; the object files stay."""
        for kind in ("built", "compiled"):
            shutil.rmtree(self.cache / "entries" / kind)

    def object_hits(self) -> int:
        """How many object files compiles of this cache have taken from earlier ones, as ccache counts."""
        volume = f"--volume={object_cache(self.cache.resolve())}:/objects"
        image = local_image("build", Target()).reference
        argv = ["docker", "run", "--rm", "--env=CCACHE_DIR=/objects", volume, image, "/opt/ccache/ccache"]
        told = subprocess.run([*argv, "--print-stats"], stdout=subprocess.PIPE, text=True, check=True).stdout
        rows = [line.split() for line in told.splitlines()]
        return sum(int(row[1]) for row in rows if re.match(r"(direct|preprocessed)_cache_hit", row[0]))

    @property
    def scratch(self) -> list[Path]:
        return list((self.cache / "tmp").glob("*"))

    def write(
        self, changes: dict[str, str] | None = None, *, budget: int = 1_000_000, stock: Path | None = None
    ) -> None:
        """Makes the sdist and the recipes that pin it, and a stock wheel to compare with."""
        data = sdist(changes or {})
        (self.folder / "links").mkdir(parents=True, exist_ok=True)
        (self.folder / "links" / "shaveling-1.0.tar.gz").write_bytes(data)
        recipe = self.folder / "recipes" / "shaveling"
        recipe.mkdir(parents=True, exist_ok=True)
        pin = f'stock = {{ {Target().identifier} = "{file_sha256(stock)}" }}' if stock else ""
        text = RECIPE.replace("SHA256", hashlib.sha256(data).hexdigest()).replace("STOCK", pin)
        (recipe / "recipe.toml").write_text(text)
        (recipe / "0001-answer.patch").write_text(PATCH)
        shutil.copy(RECIPES / "numpy" / "build-requirements.txt", recipe)
        (recipe / "test-requirements.txt").write_text(locked_test_requirements())
        profile = self.folder / "recipes" / "profiles" / "tiny.toml"
        profile.parent.mkdir(exist_ok=True)
        profile.write_text(PROFILE.replace("BUDGET", str(budget)))

    def start(self, *words: str) -> Started:
        """Starts the command in a session of its own, from outside of the checkout."""
        place = self.folder / f"run-{uuid.uuid4().hex[:8]}"
        links = f"{self.folder / 'links'} {os.environ.get('PIP_FIND_LINKS', '')}".strip()
        argv = [sys.executable, "-m", "spokeshave", "--recipes", str(self.folder / "recipes")]
        argv += ["--cache", str(self.cache), "--image", "local", *words]
        with place.with_suffix(".out").open("wb") as out, place.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                argv,
                cwd=self.folder,
                env={**os.environ, "PIP_FIND_LINKS": links, **self.extra_env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        return Started(process=process, place=place)

    def start_build(self) -> Started:
        words = ("shaveling", "--profile", "tiny", "--engine", self.engine, "--json")
        return self.start("build", *words, "--output", str(self.folder / "out"))

    def build(self) -> Run:
        return self.start_build().end()


@functools.cache
def what_all_need() -> Path:
    """A store with what any small project has to fetch and read: once in a run, a minute and more.

    That is the sdists of the stack with their imports, since a component goes, and build requirements.
    """
    folder = Path(tempfile.mkdtemp(prefix="spokeshave-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    cache = folder / "cache"
    cache.mkdir()
    first = Small(folder=folder, cache=cache, engine=ready_engine())
    first.write()
    run = first.start("fetch", "shaveling", "--profile", "tiny", "--engine", first.engine).end()
    assert run.code == 0, run.stderr
    return cache


def ready_engine() -> str:
    """Docker where it answers, as the command itself chooses."""
    return "host" if engine_fault("docker") else "docker"


def ready_small(
    factory: pytest.TempPathFactory, name: str, *, engine: str = "", changes: dict[str, str] | None = None
) -> Small:
    """The project in a folder of its own, for one engine or for that which `ready_engine` picks.

    Skips the test where the engine cannot run here.
    """
    engine = engine or ready_engine()
    if fault := engine_fault(engine):
        pytest.skip(fault)
    folder = factory.mktemp(name)
    made = Small(folder=folder, cache=folder / "cache", engine=engine)
    made.write(changes)
    return made


def processes(word: str) -> list[int]:
    """The processes on this machine, in containers too, one of whose arguments is `word`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in path.read_bytes().decode("utf-8", "replace").split("\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def engine_fault(engine: str) -> str:
    """Why the engine cannot be tested here; empty where it can."""
    if engine == "docker" and (fault := docker_fault()):
        return fault
    if engine == "host" and (missing := missing_tools()):
        return f"the host engine lacks {', '.join(missing)}"
    try:
        find_python(Target())
    except EngineMissing as missing_python:
        return missing_python.what
    return ""
