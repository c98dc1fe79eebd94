"""Which Pythons there are, and which of them can be built for on this machine."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Literal

from spokeshave.build.images.choice import images_of
from spokeshave.build.images.local import LOCAL_PYTHON, local_fault
from spokeshave.context import Context
from spokeshave.errors import EngineMissing
from spokeshave.inside.model import Target
from spokeshave.machine.toolchain import find_python


def known_pythons() -> tuple[str, ...]:
    """The tags of CPython that cibuildwheel has a build of for our platform, oldest first."""
    platforms = resources.files("cibuildwheel") / "resources" / "build-platforms.toml"
    rows = tomllib.loads(platforms.read_text("utf-8"))["linux"]["python_configurations"]
    tag = re.compile(rf"(cp3\d+)-{Target().platform}")
    return tuple(found[1] for row in rows if (found := tag.fullmatch(row["identifier"])))


def build_fault(context: Context, engine: Literal["docker", "host"], target: Target) -> str:
    """Why an engine that is ready cannot build for a Python on this machine; empty where it can."""
    if engine == "docker":
        fault = local_fault(target)
        if fault and not images_of(context).choose("build", target).local:
            return ""  # an official image has every Python that is known
        return fault
    try:
        find_python(target)
    except EngineMissing as fault:
        return fault.what
    return ""


def buildable(context: Context, engine: Literal["docker", "host"]) -> tuple[str, ...]:
    """The Pythons that an engine can build for on this machine, as far as it needs no registry."""
    if engine == "docker":
        return (LOCAL_PYTHON,)
    return tuple(tag for tag in known_pythons() if not build_fault(context, engine, Target(python=tag)))
