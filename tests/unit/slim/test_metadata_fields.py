"""Header fields in every spelling that the standard parser reads: read, and replaced alone."""

from __future__ import annotations

import pytest

from spokeshave.inside.wheel import MalformedWheel
from spokeshave.slim.metadata_fields import read_identity, replace_field


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"Name: demo\n\nVersion: 1.0\n", "METADATA has no field Version"),
        (b"Version: 1.0\n\n", "METADATA has no field Name"),
        (b"Name: demo\nVersion: 1.0\nversion:\n 2.0\n", "has 2 fields Version instead of one"),
        (b"", "has no field Name"),
    ],
)
def test_read_identity_without_one_name_and_version_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(MalformedWheel, match=told):
        read_identity(data)


def test_read_identity_folded_fields_are_read() -> None:
    assert read_identity(b"name:\n demo\nVERSION:1.0\n\n") == ("demo", "1.0")


@pytest.mark.parametrize(
    ("data", "changed"),
    [
        (b"a: 1\nX: 2\nb: 3\n\nX: body\n", b"a: 1\nX: new\nb: 3\n\nX: body\n"),
        (b"a: 1\nx:2\n  3\n\t4\nb: \xc3\xa9\n", b"a: 1\nX: new\nb: \xc3\xa9\n"),
        (b"a: 1\r\nX: 2\r\nb: 3\r\n\r\nbody\r\n", b"a: 1\r\nX: new\nb: 3\r\n\r\nbody\r\n"),
        (b"X: 2", b"X: new\n"),
        (b"a: 1", b"a: 1\nX: new\n"),
        (b"a: 1\n\nbody", b"a: 1\nX: new\n\nbody"),
        (b"X: 1\na: 2\nx: 3\n", b"X: new\na: 2\n"),
        (b"XX: 1\nX-Y: 2\nX: 3\n", b"XX: 1\nX-Y: 2\nX: new\n"),
    ],
)
def test_replace_field_leaves_all_else_as_it_is(data: bytes, changed: bytes) -> None:
    assert replace_field(data, "X", ("new",)) == changed


def test_replace_field_takes_none_and_several() -> None:
    assert replace_field(b"a: 1\nx: 2\n", "X", ()) == b"a: 1\n"
    assert replace_field(b"x: 2\na: 1\n", "X", ("3", "4")) == b"X: 3\nX: 4\na: 1\n"


def test_replace_field_what_is_not_read_back_is_refused() -> None:
    with pytest.raises(MalformedWheel, match="its field X reads"):
        replace_field(b"no header\na: 1\n", "X", ("new",))
