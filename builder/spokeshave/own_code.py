"""Digests of spokeshave's code by stage. They are part of the store's keys, so that a change is noticed.

Whole packages cover a stage, so that a new module is covered too. `tests/unit/test_own_code.py` lists the
imports from outside these packages that do not affect the stage's results, with reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Literal

Stage = Literal["compile", "finish", "test", "judge", "slim", "shrink", "read", "sizes"]

_COMPILE = ("build", "sources", "inside/templates", "inside/*.py")  # the plan has the flags of size options
_FINISH = ("inside/*.py", "inside/levers", "inside/templates")
_JUDGE = ("verify", "verdict.py", "build", "sources", "inside")
_READ = ("removal/readers",)
_SLIM = ("slim", *_JUDGE, "removal")

COVERED: dict[Stage, tuple[str, ...]] = {
    "compile": _COMPILE,  # from source to an untrimmed wheel
    "finish": _FINISH,  # from an untrimmed wheel to a finished one
    "test": ("inside/prover", *(f"inside/{name}.py" for name in ("model", "run", "stub_message"))),
    "judge": _JUDGE,  # compares our results with those of PyPI wheels
    "slim": _SLIM,  # makes and checks wheels of PyPI's, with a recipe, rules or neither
    "shrink": ("shrink", "publish", *_SLIM),  # checks the wheels of an application
    "read": _READ,  # reads imports
    "sizes": ("inside/sizes.py", "inside/bytecode.py"),  # reads the sizes of wheels
}


def package_root() -> Path:
    """The folder of the installed `spokeshave` package."""
    return Path(str(resources.files("spokeshave")))


def covered(stage: Stage) -> Iterator[Path]:
    """The files of spokeshave that shape a stage's results, each once, in order."""
    root = package_root()
    found = {path for part in COVERED[stage] for one in root.glob(part) for path in _files(one)}
    yield from sorted(path for path in found if "__pycache__" not in path.parts)


def _files(one: Path) -> Iterator[Path]:
    yield from (path for path in ([one] if one.is_file() else one.rglob("*")) if path.is_file())


def code_digests() -> dict[str, str]:
    """The sha256 (hex) of the code that decides a wheel's bytes: `compile` and `finish`."""
    return {"compile": code_digest("compile"), "finish": code_digest("finish")}


def code_digest(stage: Stage) -> str:
    """The sha256 (hex) of the code that shapes a stage's results."""
    root = package_root()
    digest = hashlib.sha256()
    for path in covered(stage):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def copy_inside(folder: Path) -> None:
    """Copies the part of spokeshave that runs in containers, as package `spokeshave`."""
    root = package_root()
    inside = [path for path in _files(root / "inside") if "__pycache__" not in path.parts]
    for path in (root / "__init__.py", *inside):
        target = folder / "spokeshave" / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
