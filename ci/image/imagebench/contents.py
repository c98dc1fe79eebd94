"""What an image has installed: the bytes of each Python package, bytecode included."""

from __future__ import annotations

import json

from packaging.utils import canonicalize_name

from spokeshave.context import Context
from spokeshave.errors import ImageError
from spokeshave.run import Command

# What a package's RECORD lists, which is the bytecode too where pip has compiled.
_SCRIPT = """
import importlib.metadata, json
sizes = {}
for found in importlib.metadata.distributions():
    files = {file.locate() for file in found.files or ()}
    sizes[found.name] = sum(file.stat().st_size for file in files if file.is_file())
print(json.dumps(sizes))
"""


def package_bytes(context: Context, image: str) -> dict[str, int]:
    """Bytes by normalized name of a package; raises ImageError where Python does not run in the image."""
    argv = ("docker", "run", "--rm", "--network", "none", image, "python", "-c", _SCRIPT)
    done = context.runner(Command(argv=argv))
    if not done.ok:
        raise ImageError(f"python does not run in {image}: {done.output.strip()}")
    return parse(done.output.splitlines()[-1])


def parse(line: str) -> dict[str, int]:
    """The line that the script prints."""
    return {canonicalize_name(name): int(size) for name, size in sorted(json.loads(line).items())}
