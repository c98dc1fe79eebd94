"""What an image is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["build", "run", "run-compiler"]
KINDS: tuple[Kind, ...] = ("build", "run", "run-compiler")


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """An image to use: its reference for Docker, and the digest that plans and results record.

    `toolchain` holds the exact versions of a local image's toolchain. It is empty until the image is made.
    """

    kind: Kind
    reference: str
    digest: str
    local: bool
    toolchain: Mapping[str, str] = field(default_factory=dict)
