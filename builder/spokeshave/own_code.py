"""Digests of our own code, stage by stage: they are part of the store's keys, so that a change is felt."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

from spokeshave.inside.model import Backend

_COMPILE_CODE = (
    *("project.py", "library.py", "backend/*", "engines/settings.py", "kit.py", "unmatched.py"),
    *("patches.py", "archive.py", "members.py"),
)
_PREBUILT_CODE = ("prebuilt.py", "elf.py", "wheel.py", "backend/library_init.py")
_FINISH_CODE = (
    *("finish.py", "components.py", "model.py", "run.py", "unmatched.py", "wheel.py", "levers/*.py"),
)


JUDGE_CODE = (
    *("compare.py", "faults.py", "inspect_wheel.py", "trial.py", "verdict.py", "verify.py"),
    *("components.py", "elf.py", "places.py", "wheel.py", "levers/base.py", "levers/test_stubs.py"),
)


def package_root() -> Path:
    """The folder of the installed `spokeshave` package."""
    return Path(str(resources.files("spokeshave")))


def code_digests(backend: Backend) -> dict[str, str]:
    """The sha256 of our own code that decides a wheel's bytes: `compile` and `finish`."""
    compiling = _PREBUILT_CODE if backend == "prebuilt" else _COMPILE_CODE
    return {"compile": _code_digest(compiling), "finish": _code_digest(_FINISH_CODE)}


def judge_digest() -> str:
    """The sha256 of our own code that judges results."""
    return _code_digest(JUDGE_CODE)


def slim_check_digest() -> str:
    """The sha256 of our own code that checks what `slim` makes."""
    parts = ("check", "importer", "pair", "pipeline", "upstream")
    return _code_digest((*(f"slim/{part}.py" for part in parts), "compare.py", "verdict.py"))


def reading_digest() -> str:
    """The sha256 of our own code that reads imports."""
    return _code_digest(("imports/*.py",))


def sizes_digest() -> str:
    """The sha256 of our own code that measures the sizes of wheels."""
    return _code_digest(("weigh.py", "bytecode.py"))


def prove_digest() -> str:
    """The sha256 of our own code that runs the tests."""
    return _code_digest(("prove/*.py", "run.py"))


def _code_digest(globs: tuple[str, ...]) -> str:
    root = package_root()
    digest = hashlib.sha256()
    for path in sorted(p for glob in globs for p in root.glob(glob) if p.is_file()):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
