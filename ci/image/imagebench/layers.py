"""What an image is made of: its layers with their sizes, as Docker tells them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from spokeshave.errors import ImageError
from spokeshave.inside.run import Command, Runner

_SHELL = re.compile(r"^/bin/sh -c (?:#\(nop\)\s*)?")
_ARGUMENTS = re.compile(r"^\|\d+ .*?/bin/sh -c ")
_SUM = re.compile(r"\b(?:dir|file|multi):[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One step of an image's history: what made it, in bytes what it added."""

    made_by: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Weight:
    """An image in bytes, and its layers that hold something, the first one first."""

    total: int
    layers: tuple[Layer, ...]


def weigh(reference: str, runner: Runner) -> Weight:
    """Asks Docker; raises ImageError where it does not have the image."""
    total = _ask(("image", "inspect", "--format", "{{.Size}}", reference), runner)
    history = _ask(
        ("history", "--no-trunc", "--human=false", "--format", "{{json .}}", reference),
        runner,
    )
    return Weight(total=int(total), layers=parse_history(history))


def parse_history(text: str) -> tuple[Layer, ...]:
    """Layers of `docker history --human=false --format '{{json .}}'`, without empty ones, oldest first."""
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    layers = (
        Layer(made_by=readable(row["CreatedBy"] or row["Comment"]), size=int(row["Size"])) for row in rows
    )
    return tuple(layer for layer in reversed(list(layers)) if layer.size)


def readable(made_by: str) -> str:
    """A step of a Dockerfile as it was written, more or less."""
    told = _SHELL.sub("", _ARGUMENTS.sub("RUN ", made_by))
    return " ".join(_SUM.sub("…", told).split())


def _ask(words: tuple[str, ...], runner: Runner) -> str:
    done = runner(Command(argv=("docker", *words)))
    if not done.ok:
        raise ImageError(f"docker {words[0]} failed: {done.output.strip()}")
    return done.output.strip()
