"""The Docker engine: drives cibuildwheel with a generated configuration; no network, no host mount."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.containers import Containers, owner_labels
from spokeshave.errors import BuildError
from spokeshave.model import BuildPlan, Environment
from spokeshave.run import Command, Runner

_RAW = "/output/raw"


@dataclass(frozen=True, kw_only=True, slots=True)
class DockerEngine:
    """Compiles in containers of one image."""

    environment: Environment
    runner: Runner
    containers: Containers
    on_line: Callable[[str], None]

    def build(self, plan: BuildPlan, work: Path, output: Path, log: Path) -> None:
        """See `Engine.build`."""
        config = work / "cibuildwheel.toml"
        config.write_text(cibuildwheel_config(plan, self.environment.image), "utf-8")
        argv = (
            *(sys.executable, "-m", "cibuildwheel", "source"),
            *("--only", plan.target.identifier),
            *("--config-file", str(config), "--output-dir", str(output)),
        )
        env = {
            key: value
            for key, value in os.environ.items()
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

    def finish(self, plan: BuildPlan, work: Path, raw: Path, output: Path, log: Path) -> None:
        """See `Engine.finish`."""
        shutil.copyfile(raw, work / "kit" / raw.name)
        interpreter = f"/opt/python/{plan.target.python}-{plan.target.python}/bin/python"
        done = self.containers.run(
            image=self.environment.image,
            folders={work / "kit": "/kit"},  # `docker cp` makes one new folder, not two
            argv=("sh", "-c", finish_command("", f"/kit/{raw.name}", "/output", python=interpreter)),
            collect={"/output": output},
            log=log,
            on_line=self.on_line,
        )
        if not done.ok:
            raise build_error(plan, done.output, log)


def build_error(plan: BuildPlan, output: str, log: Path) -> BuildError:
    """The error of a failed compile: its last lines, and where the rest is."""
    lines = [line for line in output.splitlines() if line.strip()][-25:]
    text = "\n".join(f"  | {line}" for line in lines)
    return BuildError(
        f"building {plan.distribution} {plan.local_version} failed; the last lines were:\n{text}",
        next_step="read the log for the first error; the sources and finished stages are kept",
        log=log,
    )


def build_environment(plan: BuildPlan, project: str) -> Mapping[str, str]:
    """The variables that a compile sees, with the work folder at `project`."""
    flags = {key: " ".join(values) for key, values in plan.compile.flags.items()}
    pkg_config = ":".join(
        f"{project}/kit/libraries/{name.replace('-', '_')}/{name.replace('-', '_')}/lib/pkgconfig"
        for name in sorted(plan.libraries)
    )
    env = {
        "PYTHONPATH": f"{project}/kit/code",
        "PIP_NO_INDEX": "1",
        "SOURCE_DATE_EPOCH": "315619200",
        "PKG_CONFIG_PATH": pkg_config,
    }
    if plan.compile.backend == "meson-python":
        env |= {
            "CFLAGS": flags["c"],
            "CXXFLAGS": flags["cxx"],
            "FFLAGS": flags["fortran"],
            "LDFLAGS": flags["link"],
        }
    return env


def config_settings(plan: BuildPlan) -> dict[str, list[str] | str]:
    """The build backend's config settings."""
    if plan.compile.backend != "meson-python":
        return {}
    pairs = plan.compile.settings["setup-args"].items()
    return {"setup-args": [f"-D{key}={value}" for key, value in pairs], "build-dir": "build"}


def finish_command(
    project: str, wheel: str, output: str, wheel_output: str = "", *, python: str = "python"
) -> str:
    """The shell command that finishes a wheel with the kit's own code."""
    where = f" --wheel-output {wheel_output}" if wheel_output else ""
    return (
        f"PYTHONPATH={project}/kit/code {python} -m spokeshave.finish --kit {project}/kit"
        f" --wheel {wheel} --output {output}{where}"
    )


def cibuildwheel_config(plan: BuildPlan, image: str) -> str:
    """The configuration file for cibuildwheel; it replaces upstream's own settings."""
    project = "/project"
    install = (
        f"pip install --no-index --require-hashes --find-links {project}/kit/wheels"
        f" -r {project}/kit/requirements.txt"
    )
    repair = f"mkdir -p {_RAW} && cp {{wheel}} {_RAW}/ && " + finish_command(
        project, "{wheel}", "/output", "{dest_dir}"
    )
    create = ["--network=none", "--rm", *(f"--label={label}" for label in owner_labels())]
    image_key = f"{plan.target.libc}-{plan.target.arch}-image"
    environment = {**build_environment(plan, project), "PATH": f"{project}/kit/bin:$PATH"}
    lines = [
        "[tool.cibuildwheel]",
        f"{image_key} = {json.dumps(image)}",
        'build-frontend = { name = "build", args = ["--no-isolation", "--skip-dependency-check"] }',
        'container-engine = { name = "docker", disable-host-mount = true, create-args = '
        + json.dumps(create)
        + " }",
        f"before-build = {json.dumps(install)}",
        f"repair-wheel-command = {json.dumps(repair)}",
        'audit-command = ""',
        "[tool.cibuildwheel.environment]",
        *(f"{key} = {json.dumps(value)}" for key, value in environment.items()),
        "[tool.cibuildwheel.config-settings]",
        *(f"{key} = {json.dumps(value)}" for key, value in config_settings(plan).items()),
    ]
    return "\n".join(lines) + "\n"
