"""What an image is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["build", "run", "run-compiler"]
KINDS: tuple[Kind, ...] = ("build", "run", "run-compiler")


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """An image to use: its reference for Docker, and the digest that plans and results record."""

    kind: Kind
    reference: str
    digest: str
    local: bool
