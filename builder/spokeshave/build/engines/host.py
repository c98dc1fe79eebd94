"""The host engine: `build` and auditwheel in a separate venv, for machines without Docker."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.build.engines.compile_settings import build_environment, config_settings
from spokeshave.build.engines.docker import build_error
from spokeshave.inside import unmatched
from spokeshave.inside.model import BuildPlan, Environment
from spokeshave.inside.run import Command, Runner
from spokeshave.machine.toolchain import find_python

# Settings of the user's shell that would find their way into a wheel.
_FOREIGN = (
    "CC CXX FC F77 F90 AR NM LD STRIP CPPFLAGS CFLAGS CXXFLAGS FFLAGS FCFLAGS LDFLAGS CPATH C_INCLUDE_PATH "
    "CPLUS_INCLUDE_PATH LIBRARY_PATH LD_RUN_PATH MAKEFLAGS PYTHONPATH PYTHONHOME"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostEngine:
    """Compiles in a venv on this machine; the tag is whatever auditwheel finds."""

    environment: Environment
    environ: Mapping[str, str]
    cpus: int
    runner: Runner
    on_line: Callable[[str], None]

    def compile(self, plan: BuildPlan, work: Path, output: Path, log: Path) -> tuple[str, ...]:
        """See `Engine.compile`."""
        self._make_venv(plan, work, log)
        argv = (
            *(sys.executable, str(Path(__file__).with_name("host_build.py"))),
            *(str(work / "venv" / "bin" / "python"), str(work / "source"), str(output)),
            json.dumps(config_settings(plan)),
        )
        self._step(plan, argv, work, log)
        return tuple(unmatched.of_kit(work / "kit"))

    def finish(self, plan: BuildPlan, work: Path, raw: Path, output: Path, log: Path) -> tuple[str, ...]:
        """See `Engine.finish`; our own environment has auditwheel."""
        where = ("--kit", str(work / "kit"), "--wheel", str(raw), "--output", str(output))
        argv = (sys.executable, "-m", "spokeshave.inside.finish", *where, "--rewrite-path", str(work.parent))
        return unmatched.read(self._step(plan, argv, work, log))

    def _make_venv(self, plan: BuildPlan, work: Path, log: Path) -> None:
        """A venv with the locked build requirements."""
        python = find_python(plan.target)
        install = ("pip", "install", "--quiet", "--no-index", "--require-hashes")
        where = ("--find-links", str(work / "kit" / "wheels"))
        locked = ("-r", str(work / "kit" / "requirements.txt"))
        self._step(plan, (python, "-m", "venv", str(work / "venv")), work, log)
        self._step(plan, ("python", "-m", *install, *where, *locked), work, log)

    def _step(self, plan: BuildPlan, argv: tuple[str, ...], work: Path, log: Path) -> str:
        """Runs one step and returns its output."""
        own = [str(Path(sys.executable).parent)]
        paths = [str(work / "kit" / "bin"), str(work / "venv" / "bin"), *own, self.environ["PATH"]]
        prefix_map = f"-ffile-prefix-map={work}=/project"
        own_env = {key: value for key, value in self.environ.items() if key not in _FOREIGN.split()}
        env = {**own_env, **build_environment(plan, str(work), cpus=self.cpus), "PATH": ":".join(paths)}
        for key in ("CFLAGS", "CXXFLAGS", "FFLAGS"):
            if key in env and plan.compile.backend == "meson-python":
                env[key] = f"{env[key]} {prefix_map}"
        done = self.runner(Command(argv=argv, cwd=work, env=env, log=log, on_line=self.on_line))
        if not done.ok:
            raise build_error(plan, done.output, log)
        return done.output
