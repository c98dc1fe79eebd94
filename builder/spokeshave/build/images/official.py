"""Official images: manylinux as cibuildwheel pins it, and Python's own."""

from __future__ import annotations

import configparser
from importlib import resources

from spokeshave.build.images.model import Image, Kind
from spokeshave.inside.model import Target


def official_image(kind: Kind, target: Target) -> Image:
    """The published image: manylinux as cibuildwheel pins it by digest, or Python's own slim image."""
    if kind != "build":
        suffix = "" if kind == "run-compiler" else "-slim"
        reference = f"python:{target.python_version}{suffix}-bookworm"
        return Image(kind=kind, reference=reference, digest=reference, local=False)
    pins = configparser.ConfigParser()
    pins.read_string(
        (resources.files("cibuildwheel") / "resources" / "pinned_docker_images.cfg").read_text("utf-8")
    )
    reference = pins[target.arch]["manylinux_2_28"].split("#")[0].strip()
    return Image(kind=kind, reference=reference, digest=reference.partition("@")[2] or reference, local=False)
