"""The layers of an image with their sizes, as Docker reports them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from spokeshave.api import Command, ImageError, Runner

_SHELL = re.compile(r"^/bin/sh -c (?:#\(nop\)\s*)?")
_ARGUMENTS = re.compile(r"^\|\d+ .*?/bin/sh -c ")
_SUM = re.compile(r"\b(?:dir|file|multi):[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One step of an image's history: its command, and the bytes that it added."""

    made_by: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSize:
    """The bytes of an image, and its layers that are not empty, the first one first."""

    total: int
    layers: tuple[Layer, ...]


def image_size(reference: str, runner: Runner) -> ImageSize:
    """Asks Docker; raises ImageError if it does not have the image."""
    total = _ask(("image", "inspect", "--format", "{{.Size}}", reference), runner)
    history = _ask(
        ("history", "--no-trunc", "--human=false", "--format", "{{json .}}", reference),
        runner,
    )
    return ImageSize(total=int(total), layers=parse_history(history))


def parse_history(text: str) -> tuple[Layer, ...]:
    """Layers of `docker history --human=false --format '{{json .}}'`, without empty ones, oldest first."""
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    layers = (
        Layer(made_by=readable(row["CreatedBy"] or row["Comment"]), size=int(row["Size"])) for row in rows
    )
    return tuple(layer for layer in reversed(list(layers)) if layer.size)


def readable(made_by: str) -> str:
    """A step of a Dockerfile, nearly as it was written."""
    text = _SHELL.sub("", _ARGUMENTS.sub("RUN ", made_by))
    return " ".join(_SUM.sub("…", text).split())


def _ask(words: tuple[str, ...], runner: Runner) -> str:
    done = runner(Command(argv=("docker", *words)))
    if not done.ok:
        raise ImageError(f"docker {words[0]} failed: {done.output.strip()}")
    return done.output.strip()
