"""Data files with the same content in fewer bytes: JSON, gzipped or not, and pickles."""

from __future__ import annotations

import gzip
import json
import pickletools
from pathlib import Path
from typing import Any

from spokeshave.recipes.rule_schema import MinifyTable

_BEST = 9  # of zlib


def minify(path: Path, how: MinifyTable) -> int:
    """Writes a file again if that makes it smaller; returns the bytes saved.

    Raises ValueError where the file is not of that kind, or would not have the same content.
    """
    old = path.read_bytes()
    new = pickletools.optimize(old) if how.kind == "pickle" else _json(old, how)
    if len(new) >= len(old):
        return 0
    path.write_bytes(new)  # into the same file, which keeps its mode
    return len(old) - len(new)


def _json(data: bytes, how: MinifyTable) -> bytes:
    """The JSON without white space and keys of `drop`; packed again where it is packed."""
    packed = data.startswith(b"\x1f\x8b")
    content = json.loads(gzip.decompress(data) if packed else data, parse_constant=_refuse)
    wanted = _without(content, how.drop, how.intact) if how.drop else content
    text = json.dumps(wanted, separators=(",", ":"), allow_nan=False)
    if json.loads(text) != wanted:
        raise ValueError("it cannot be written again with the same content")
    return gzip.compress(text.encode(), _BEST, mtime=0) if packed else text.encode()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _without(value: Any, drop: tuple[str, ...], intact: tuple[str, ...]) -> Any:
    """The value without texts of the keys `drop`; values of the keys `intact` are kept whole.

    A key with an object is data: a field of that name.
    """
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if not (key in drop and _text(one))}
        return {key: one if key in intact else _without(one, drop, intact) for key, one in kept.items()}
    return [_without(one, drop, intact) for one in value] if isinstance(value, list) else value


def _text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
