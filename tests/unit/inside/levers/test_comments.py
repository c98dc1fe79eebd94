"""Comments go; tokens stay where they were, or the file stays as it was."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from spokeshave.inside.levers.comments import LEVER, strip_comments
from spokeshave.inside.levers.lever import Tree


def test_comments_go_and_lines_stay() -> None:
    source = b"# head\nx = 1  # one\n\ndef f():\n    # inside\n    return '# text'  # end\n"
    assert strip_comments(source) == b"\nx = 1\n\ndef f():\n\n    return '# text'\n"


def test_what_python_reads_stays() -> None:
    source = b"#!/usr/bin/python3\n# -*- coding: latin-1 -*-\nx = '\xe9'  # \xe9\n"
    assert strip_comments(source) == b"#!/usr/bin/python3\n# -*- coding: latin-1 -*-\nx = '\xe9'\n"


def test_an_encoding_further_down_is_a_comment() -> None:
    assert strip_comments(b"x = 1\ny = 2\n# coding: latin-1\n") == b"x = 1\ny = 2\n\n"


@pytest.mark.parametrize(
    "source",
    [
        b"x = [  # open\n    1,  # one\n]  # shut\n",
        b"x = 1 \\\n  + 2  # two\r\ny = 3  # three\r\n",
        b"\xef\xbb\xbfx = 1  # with a mark\n",
        "é = 'ü'  # ö\nx = '\u2028'  # a line end for str.splitlines alone\n".encode(),
        b"x = '''\n# no comment\n'''  # comment\n",
        b"if True:  # why\n    pass\n\x0c\n# page\nz = 0",
    ],
)
def test_the_tree_is_the_same(source: bytes) -> None:
    shaved = strip_comments(source)
    assert shaved is not None
    assert len(shaved) < len(source)
    before, after = (ast.dump(ast.parse(text), include_attributes=True) for text in (source, shaved))
    assert before == after


def test_what_does_not_parse_is_left_alone() -> None:
    assert strip_comments(b"def (:  # no\n") is None


def test_the_lever_counts_bytes_and_obeys_keep(tmp_path: Path) -> None:
    tree = Tree(root=tmp_path / "root", tests=tmp_path / "tests")
    tree.root.mkdir()
    for name in ("a.py", "kept.py", "bad.py"):
        (tree.root / name).write_bytes(b"x = 1  # one\n" if name != "bad.py" else b"x = (  # one\n")
    assert LEVER.shave is not None
    shaved = LEVER.shave(tree, {"keep": ("kept.py",)})
    assert (shaved.saved, shaved.files, shaved.note) == (7, 1, "left as they were: 1")
    assert (tree.root / "a.py").read_bytes() == b"x = 1\n"
    assert (tree.root / "kept.py").read_bytes() == b"x = 1  # one\n"
