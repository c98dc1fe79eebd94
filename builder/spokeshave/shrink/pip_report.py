"""pip's resolver, where there is no uv: for a Python that is on this machine."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from spokeshave.context import Context
from spokeshave.errors import EngineMissing, UsageFault
from spokeshave.machine.venvs import find_interpreter, run_pip
from spokeshave.publish.closure import outside
from spokeshave.shrink.inputs import Inputs
from spokeshave.shrink.model import Pick, Resolved, ShrinkRequest
from spokeshave.sources.download import pip_error

_CONFLICT = re.compile(r"The conflict is caused by:(.*?)(?:^To fix this|\Z)", re.DOTALL | re.MULTILINE)


def resolve_with_pip(
    context: Context, request: ShrinkRequest, inputs: Inputs, scratch: Path, *, deps: bool
) -> Resolved:
    """The wheels that pip would install; nothing is built or installed.

    Raises EngineMissing where the target's Python is not on this machine, UsageFault where requirements
    conflict, NetworkError where pip fails.
    """
    try:
        python = find_interpreter(request.target, "pip's resolver", runner=context.runner).path
    except EngineMissing as fault:
        fault.next_step += ", or uv (`pip install uv`), which resolves for any target"
        raise
    report, log = scratch / "report.json", context.logs / "shrink-resolve.log"
    options = [
        *("install", "--dry-run", "--ignore-installed", "--only-binary=:all:", "--no-input"),
        *("--progress-bar=off", "--report", str(report), *([] if deps else ["--no-deps"])),
    ]
    done = run_pip(python, (*options, *_requirements(inputs, request, scratch)), context.runner, log)
    if conflict := _CONFLICT.search(done.output):
        raise UsageFault(
            f"no versions meet all requirements:{conflict[1].rstrip()}", next_step="loosen one of them"
        )
    if not done.ok:
        raise pip_error(done.output, "the requirements", log)
    rows: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))["install"]
    picks = []
    for row in rows:
        one = outside(row)
        picks.append(
            Pick(
                project=one.project,
                version=one.version,
                filename=one.filename,
                sha256=one.sha256,
                url="" if one.file else one.url,
                path=one.file,
            )
        )
    return Resolved(picks=tuple(sorted(picks, key=lambda pick: pick.project)), by="pip")


def _requirements(inputs: Inputs, request: ShrinkRequest, scratch: Path) -> list[str]:
    if inputs.kind == "pyproject.toml":
        path = scratch / "project.txt"
        path.write_text("".join(f"{line}\n" for line in _of_project(inputs.path, request)), "utf-8")
        return ["-r", str(path)]
    files = [word for path in inputs.paths for word in ("-r", os.fspath(path))]
    return [*files, "--", *inputs.words] if inputs.words else files


def _of_project(path: Path, request: ShrinkRequest) -> list[str]:
    """The requirements of a pyproject.toml and of its extras."""
    try:
        project = tomllib.loads(path.read_text("utf-8"))["project"]
    except (tomllib.TOMLDecodeError, KeyError) as fault:
        raise UsageFault(f"{path} has no readable [project]: {fault}", next_step="correct it") from fault
    if "dependencies" in project.get("dynamic", ()) or request.groups:
        raise UsageFault(
            f"{path}: pip alone reads neither dynamic dependencies nor groups here",
            next_step="install uv (`pip install uv`), or write the requirements into a requirements.txt",
        )
    optional = project.get("optional-dependencies", {})
    if unknown := [name for name in request.extras if name not in optional]:
        raise UsageFault(
            f"{path} has no extra {', '.join(unknown)}",
            next_step=f"its extras are: {', '.join(optional) or 'none'}",
        )
    return [*project.get("dependencies", ()), *(line for name in request.extras for line in optional[name])]
