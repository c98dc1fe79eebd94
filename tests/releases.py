"""Small real wheels that stand for the stack, with the proofs that `spokeshave verify` leaves beside them."""

from __future__ import annotations

import json
from pathlib import Path

from spokeshave.inside.model import file_sha256
from support import demo_files, write_wheel

NUMPY = "2.4.6+lean.1"
BLAS = "0.3.31+lean.1"


def write_proof(wheel: Path, **changes: object) -> Path:
    """The report of a verification beside a wheel; `changes` replace what it says."""
    report = {"wheel": wheel.name, "sha256": file_sha256(wheel), "level": "full", "passed": True}
    report |= {"imported": 1, "comparison": None, **changes}
    beside = wheel.with_name(wheel.name.replace(".whl", ".verify.json"))
    beside.write_text(json.dumps(report))
    return beside


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    headers: tuple[str, ...] = ("Requires-Python: >=3.9",),
    value: str = "ours",
    proved: bool = True,
) -> Path:
    """A pure wheel of one module, which says `value`; `headers` go into its METADATA."""
    files = demo_files(name, version)
    info = f"{name}-{version}.dist-info/METADATA"
    files[f"{name}/__init__.py"] = f"value = {value!r}\n".encode()
    files[info] = files[info].replace(b"\n\n", "".join(f"\n{line}" for line in headers).encode() + b"\n\n", 1)
    wheel = write_wheel(folder / f"{name}-{version}-py3-none-any.whl", files)
    if proved:
        write_proof(wheel)
    return wheel


def make_stack(folder: Path, *, value: str = "ours", proved: bool = True) -> list[Path]:
    """numpy and the BLAS that it pins, as wheels of nothing but a module each."""
    needs = ("Requires-Python: >=3.9", f"Requires-Dist: slim-openblas=={BLAS}")
    return [
        make_wheel(folder, "numpy", NUMPY, headers=needs, value=value, proved=proved),
        make_wheel(folder, "slim_openblas", BLAS, value=value, proved=proved),
    ]
