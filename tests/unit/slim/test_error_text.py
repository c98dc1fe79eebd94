"""A long error message is shown by the line that names its cause."""

from __future__ import annotations

import pytest

from spokeshave.slim.error_text import one_line

LONG = "import numpy: ImportError: \n\nREAD THIS\n\n  * Advice.\nOriginal error was: libx.so: cannot open\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (LONG, "import numpy: ImportError: Original error was: libx.so: cannot open"),
        ("import a: KeyError: 'b'", "import a: KeyError: 'b'"),
        ("import a: ValueError: too long\nsee a page", "import a: ValueError: too long"),
        ("import a: ImportError:\nno b", "import a: ImportError: no b"),
        ("", ""),
    ],
)
def test_one_line_names_the_cause(text: str, line: str) -> None:
    assert one_line(text) == line


def test_one_line_long_text_is_cut() -> None:
    assert len(one_line("x" * 999)) == 200
