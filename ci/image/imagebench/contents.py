"""The bytes of each Python package in an image, bytecode included, and those of pandoc."""

from __future__ import annotations

import json

from packaging.utils import canonicalize_name

from spokeshave.api import Command, Context, ImageError

_PANDOC = "import os, shutil; print(os.stat(shutil.which('pandoc')).st_size)"
# The files in a package's RECORD; this includes the bytecode if pip has compiled it.
_PACKAGES = """
import importlib.metadata, json
sizes = {}
for found in importlib.metadata.distributions():
    files = {file.locate() for file in found.files or ()}
    sizes[found.name] = sum(file.stat().st_size for file in files if file.is_file())
print(json.dumps(sizes))
"""


def package_bytes(context: Context, image: str) -> dict[str, int]:
    """Bytes by normalized name of a package; raises ImageError if Python does not run in the image."""
    return parse(_ask(context, image, _PACKAGES, "python does not run"))


def pandoc_bytes(context: Context, image: str) -> int:
    """The size of the pandoc executable, which is the same in both images; raises ImageError without one."""
    return int(_ask(context, image, _PANDOC, "there is no pandoc"))


def _ask(context: Context, image: str, script: str, fault: str) -> str:
    """The last line that a script prints in the image; raises ImageError with `fault` if it fails."""
    argv = ("docker", "run", "--rm", "--network", "none", image, "python", "-c", script)
    done = context.runner(Command(argv=argv))
    if not done.ok:
        raise ImageError(f"{fault} in {image}: {done.output.strip()}")
    return done.output.splitlines()[-1]


def parse(line: str) -> dict[str, int]:
    """The line that the script prints."""
    return {canonicalize_name(name): int(size) for name, size in sorted(json.loads(line).items())}
