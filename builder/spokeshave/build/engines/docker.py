"""The Docker engine: drives cibuildwheel with a generated configuration; no network, no host mount."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.build.engines.compile_settings import build_environment, config_settings
from spokeshave.errors import BuildError
from spokeshave.inside import unmatched
from spokeshave.inside.model import BuildPlan, Environment
from spokeshave.inside.run import Command, Runner
from spokeshave.machine.containers import Containers


@dataclass(frozen=True, kw_only=True, slots=True)
class DockerEngine:
    """Compiles in containers of one image; `objects` is the volume in which ccache keeps what it compiled."""

    environment: Environment
    environ: Mapping[str, str]
    runner: Runner
    containers: Containers
    objects: str
    cpus: int
    on_line: Callable[[str], None]

    def compile(self, plan: BuildPlan, work: Path, output: Path, log: Path) -> tuple[str, ...]:
        """See `Engine.compile`."""
        config = work / "cibuildwheel.toml"
        text = cibuildwheel_config(
            plan,
            self.environment.image,
            compiler=self.environment.image_digest,
            objects=self.objects,
            labels=self.containers.labels(),
            cpus=self.cpus,
        )
        config.write_text(text, "utf-8")
        argv = (
            *(sys.executable, "-m", "cibuildwheel", "source"),
            *("--only", plan.target.identifier),
            *("--config-file", str(config), "--output-dir", str(output)),
        )
        env = {
            key: value
            for key, value in self.environ.items()
            if not key.startswith(("CIBW_", "SOURCE_DATE_EPOCH"))
        }
        done = self.runner(
            Command(
                argv=argv,
                cwd=work,
                env={**env, "SOURCE_DATE_EPOCH": "315619200", "CIBUILDWHEEL": "1"},
                log=log,
                on_line=self.on_line,
            )
        )
        if not done.ok:
            raise build_error(plan, done.output, log)
        return unmatched.read(done.output)

    def finish(self, plan: BuildPlan, work: Path, raw: Path, output: Path, log: Path) -> tuple[str, ...]:
        """See `Engine.finish`."""
        shutil.copyfile(raw, work / "kit" / raw.name)
        interpreter = f"/opt/python/{plan.target.python}-{plan.target.python}/bin/python"
        done = self.containers.run(
            image=self.environment.image,
            folders={work / "kit": "/kit"},  # `docker cp` makes one new folder, not two
            argv=_finish_command(f"/kit/{raw.name}", "/output", python=interpreter),
            collect={"/output": output},
            log=log,
            on_line=self.on_line,
        )
        if not done.ok:
            raise build_error(plan, done.output, log)
        return unmatched.read(done.output)


def build_error(plan: BuildPlan, output: str, log: Path) -> BuildError:
    """The error of a failed compile: its last lines, and where the rest is."""
    lines = [line for line in output.splitlines() if line.strip()][-25:]
    text = "\n".join(f"  | {line}" for line in lines)
    fault = BuildError(
        f"building {plan.distribution} {plan.local_version} failed; the last lines were:\n{text}",
        next_step="read the log for the first error; the sources and finished stages are kept",
        log=log,
    )
    fault.unmatched = unmatched.read(output)
    return fault


def _finish_command(wheel: str, output: str, *, python: str) -> tuple[str, ...]:
    """The command that finishes a wheel in a container, with the code in its build context."""
    where = ("--kit", "/kit", "--wheel", wheel, "--output", output)
    return ("env", "PYTHONPATH=/kit/code", python, "-m", "spokeshave.inside.finish", *where)


def cibuildwheel_config(
    plan: BuildPlan, image: str, *, compiler: str, objects: str, labels: Iterable[str], cpus: int
) -> str:
    """The configuration file for cibuildwheel; it replaces upstream's own settings.

    `objects` is the volume in which ccache keeps object files; `compiler` names the compilers to it: what it
    keeps is taken again only where that is the same. `labels` name the run of the container.
    """
    project = "/project"
    kit = f"{project}/kit"
    install = f"pip install --no-index --require-hashes --find-links {kit}/wheels -r {kit}/requirements.txt"
    create = ["--network=none", "--rm", *(f"--label={label}" for label in labels)]
    image_key = f"{plan.target.libc}-{plan.target.arch}-image"
    create.append(f"--volume={objects}:/objects")
    environment = {
        **build_environment(plan, project, cpus=cpus),
        "PATH": f"{kit}/bin:$PATH",
        "CCACHE_DIR": "/objects",
        "CCACHE_COMPILERCHECK": f"string:{compiler}",
    }
    check = f"python -m spokeshave.inside.unmatched {kit}"
    lines = [
        "[tool.cibuildwheel]",
        f"{image_key} = {json.dumps(image)}",
        'build-frontend = { name = "build", args = ["--no-isolation", "--skip-dependency-check"] }',
        'container-engine = { name = "docker", disable-host-mount = true, create-args = '
        + json.dumps(create)
        + " }",
        f"before-build = {json.dumps(install)}",
        # The finish step comes later.
        f'repair-wheel-command = "{check} && cp {{wheel}} {{dest_dir}}"',
        'audit-command = ""',
        "[tool.cibuildwheel.environment]",
        *(f"{key} = {json.dumps(value)}" for key, value in environment.items()),
        "[tool.cibuildwheel.config-settings]",
        *(f"{key} = {json.dumps(value)}" for key, value in config_settings(plan).items()),
    ]
    return "\n".join(lines) + "\n"
