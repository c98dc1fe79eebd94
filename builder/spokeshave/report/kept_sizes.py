"""Sizes of wheels, kept in the store: compiling a stack's modules for their bytecode takes half a minute.

The key is made of the wheel's own bytes and name, of the Python that compiles, and of our code that measures:
a changed wheel is measured again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spokeshave import own_code
from spokeshave.inside.bytecode import can_compile_for
from spokeshave.inside.model import digest_of, file_sha256
from spokeshave.inside.sizes import FileSize, OnFile, Sizes, sizes
from spokeshave.machine.store import Store

_KIND = "sizes"
_NAME = "sizes.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """The sizes of a wheel, and whether they were taken from the store."""

    sizes: Sizes
    kept: bool


Measure = Callable[[Path, str], Measured]
"""Measures a wheel for a target's Python (`cp311`)."""


def measure(path: Path, python: str, on_file: OnFile = lambda name: None) -> Measured:
    """Measures a wheel now."""
    return Measured(sizes=sizes(path, python, on_file), kept=False)


def kept_measure(store: Store, on_file: OnFile) -> Measure:
    """Measures a wheel, or takes its sizes from the store; `on_file` hears each file that is measured."""

    def found(path: Path, python: str) -> Measured:
        key = _key(path, python)
        entry = store.get(_KIND, key)
        if entry is not None:
            return Measured(sizes=_read(json.loads((entry / _NAME).read_text("utf-8"))), kept=True)
        fresh = measure(path, python, on_file)
        text = json.dumps(asdict(fresh.sizes))
        store.put(_KIND, key, lambda new: (new / _NAME).write_text(text, "utf-8"))
        return fresh

    return found


def _key(path: Path, python: str) -> str:
    compiler = [sys.implementation.name, sys.version] if can_compile_for(python) else []
    return digest_of([file_sha256(path), path.name, compiler, own_code.code_digest("sizes")])


def _read(data: Mapping[str, Any]) -> Sizes:
    return Sizes(**{**data, "files": tuple(FileSize(**row) for row in data["files"])})
