"""Data files with the same content in fewer bytes: JSON, gzipped or not, and pickles."""

from __future__ import annotations

import gzip
import json
import pickletools
from pathlib import Path
from typing import Any

from spokeshave.recipes.rule_schema import MinifyTable

_BEST = 9  # of zlib
_SHORT = 256  # bytes of UTF-8: a shorter string of protocol 4 has its length in one byte


def minify(path: Path, how: MinifyTable) -> int:
    """Writes a file again if that makes it smaller; returns the bytes saved.

    Raises ValueError where the file is not of that kind, or would not have the same content.
    """
    old = path.read_bytes()
    new = _pickle(old) if how.kind == "pickle" else _json(old, how)
    if len(new) >= len(old):
        return 0
    path.write_bytes(new)  # into the same file, which keeps its mode
    return len(old) - len(new)


def _pickle(data: bytes) -> bytes:
    """The pickle without unused memo entries, and with the short strings of protocol 4 where it is 2 or 3.

    The operations and their arguments are the same. Pickles of protocol 4 have short strings, and frames.
    """
    new = pickletools.optimize(data)
    if new[:2] not in (b"\x80\x02", b"\x80\x03"):
        return new
    rows = [(op.name, start) for op, _, start in pickletools.genops(new) if start is not None]
    ends = [*(start for _, start in rows[1:]), len(new)]
    pieces = (_short(name, new[start:end]) for (name, start), end in zip(rows, ends, strict=True))
    return b"".join(pieces)


def _short(name: str, code: bytes) -> bytes:
    if name == "PROTO":
        return b"\x80\x04"
    text = code[5:]  # after the operation and four bytes of length
    return b"\x8c" + bytes([len(text)]) + text if name == "BINUNICODE" and len(text) < _SHORT else code


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
