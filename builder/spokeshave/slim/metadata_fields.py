"""The header fields of METADATA and WHEEL: read by packaging and the standard parser, replaced byte by byte.

Field names have no case, blanks after the colon are optional, and a value may be folded over several lines
(RFC 822); whatever is not replaced keeps its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import Message
from email.parser import BytesParser

from packaging.metadata import parse_email

from spokeshave.inside.wheel import MalformedWheel

_END_OF_HEADERS = re.compile(rb"\r?\n(?=\r?\n)")


def read_headers(data: bytes) -> Message:
    """The header fields of METADATA or WHEEL."""
    return BytesParser().parsebytes(data, headersonly=True)


def read_identity(metadata: bytes) -> tuple[str, str]:
    """Name and version of METADATA; raises MalformedWheel where one is missing or comes twice."""
    raw, unparsed = parse_email(metadata)
    for field in ("name", "version"):
        if field in unparsed:
            raise MalformedWheel(f"METADATA has {len(unparsed[field])} fields {field.title()} instead of one")
        if field not in raw:
            raise MalformedWheel(f"METADATA has no field {field.title()}")
    return raw["name"].strip(), raw["version"].strip()


def replace_field(data: bytes, name: str, values: Iterable[str]) -> bytes:
    """The file with these values, a line each, where the field came first or else after the other fields.

    Raises MalformedWheel where the standard parser then reads anything else.
    """
    wanted = list(values)
    field = rb"(?im)^%s:.*(?:\r?\n[ \t].*)*(?:\r?\n|\Z)" % re.escape(name.encode())
    end = found.end() if (found := _END_OF_HEADERS.search(data)) else len(data)
    head, body = data[:end], data[end:]
    lines = b"".join(f"{name}: {value}\n".encode() for value in wanted)
    first = re.search(field, head)
    at = first.start() if first else len(head)
    gap = b"" if head[:at].endswith(b"\n") or not at else b"\n"
    changed = head[:at] + gap + lines + re.sub(field, b"", head[at:]) + body
    if (read := read_headers(changed).get_all(name, [])) != wanted:
        raise MalformedWheel(f"its field {name} reads {read} once it is {wanted}")
    return changed
