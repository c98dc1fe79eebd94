"""What is missing for which engine, and the command that mends it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from spokeshave.build.images.choice import images_of
from spokeshave.build.images.local import LOCAL_PYTHON, local_fault
from spokeshave.build.images.model import KINDS
from spokeshave.context import Context
from spokeshave.errors import SpokeshaveError
from spokeshave.inside.model import Target
from spokeshave.machine.toolchain import find_python, missing_tools
from spokeshave.sources import download

_ROOM_NEEDED_GB = 6.0  # local images 2.5 GB, an unpacked build tree 1 GB, store and spare


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing looked at: whom it is for, what was found, and what mends it."""

    engine: Literal["docker", "host", "both"]
    name: str
    ok: bool
    found: str
    mend: str = ""


def examine(context: Context, target: Target) -> list[Check]:
    """Looks at everything that the engines need; installs nothing, and starts no more than interpreters."""
    return [
        _docker(context),
        *_images(context, target),
        _host_tools(),
        _attempt("host", "Python and headers", lambda: find_python(target)),
        _attempt("both", "pip settings", lambda: _index(context)),
        _room(context),
    ]


def usable(checks: list[Check]) -> list[str]:
    """The engines for which nothing is missing."""
    return [
        engine
        for engine in ("docker", "host")
        if all(check.ok for check in checks if check.engine in (engine, "both"))
    ]


def _attempt(engine: Literal["docker", "host", "both"], name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(engine=engine, name=name, ok=True, found=look())
    except SpokeshaveError as fault:
        return Check(engine=engine, name=name, ok=False, found=fault.what, mend=fault.next_step)


def _docker(context: Context) -> Check:
    return _attempt("docker", "Docker", lambda: f"server {context.containers.probe()}")


def _images(context: Context, target: Target) -> list[Check]:
    if not _docker(context).ok:
        return []
    checks = []
    for kind in KINDS:
        image = images_of(context).choose(kind, target)
        here = context.containers.image_id(image.reference) is not None
        found = image.reference if here else f"{image.reference}, not here yet; builds fetch or make it"
        mend = ""
        if image.local and (fault := local_fault(target)):
            found, mend = fault, f"use --python {LOCAL_PYTHON}, or a machine where a registry answers"
        elif image.local and not here and not shutil.which("mmdebstrap"):
            mend = "`apt-get install mmdebstrap`"
        checks.append(Check(engine="docker", name=f"image {kind}", ok=not mend, found=found, mend=mend))
    return checks


def _host_tools() -> Check:
    missing = missing_tools()
    return Check(
        engine="host",
        name="compilers",
        ok=not missing,
        found=f"missing: {', '.join(missing)}" if missing else "all there",
        mend="`apt-get install build-essential pkg-config`" if missing else "",
    )


def _index(context: Context) -> str:
    settings = download.read_pip_settings(context.runner)
    return f"{len(settings.places())} indexes and folders to search"


def _room(context: Context) -> Check:
    folder = context.store.root
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 1e9
    return Check(
        engine="both",
        name="disk",
        ok=free >= _ROOM_NEEDED_GB,
        found=f"{free:.0f} GB free at {folder}, {_ROOM_NEEDED_GB:.0f} GB needed",
        mend="" if free >= _ROOM_NEEDED_GB else "free some space, or name another folder with --store",
    )
