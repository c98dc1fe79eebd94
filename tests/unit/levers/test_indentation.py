"""Indentation shrinks; lines, strings and the meaning stay, or the file stays as it was."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from spokeshave.levers.base import Tree
from spokeshave.levers.indentation import LEVER, shrink_indentation


def test_one_space_a_level_inside_brackets_too() -> None:
    source = (
        b"class A:\n    def f(self,\n          x):\n        if x:\n            return [\n                1]\n"
    )
    assert shrink_indentation(source) == b"class A:\n def f(self,\n x):\n  if x:\n   return [\n   1]\n"


@pytest.mark.parametrize(
    "source",
    [
        b"def f():\n    x = '''\n    kept\n      '''\n    return x\n",
        b'def f(y):\n    return f"""\n    {y!r:>{3}}\n    """\n',
        b"def f():\n    return \\\n        1\n",
        b"if True:\n\tx = 1\n\tif x:\n\t\ty = 2\n",
        b"def f():\n        # far\n    # near\n    pass\n    # after\nz = 0\n",
        b"if 1:\r\n    x = (1 +\r\n         2)\r\n",
        b"if 1:\n    x = 'a' \\\n        'b'; y = 3\n\x0c\nz = 0\n",
        "if 1:\n    é = '\u2028'\n    ü = 2\n".encode(),
        b"# coding: latin-1\nif 1:\n    x = '\xe9'\n",
    ],
)
def test_the_tree_and_its_lines_are_the_same(source: bytes) -> None:
    shaved = shrink_indentation(source)
    assert shaved is not None
    assert shaved != source
    before, after = ast.parse(source), ast.parse(shaved)
    assert ast.dump(before) == ast.dump(after)
    lines = [[getattr(n, "lineno", 0) for n in ast.walk(tree)] for tree in (before, after)]
    assert lines[0] == lines[1]
    assert shrink_indentation(shaved) == shaved


def test_what_does_not_parse_is_left_alone() -> None:
    assert shrink_indentation(b"if 1:\n    x = (\n") is None


def test_the_lever_counts_bytes_and_obeys_keep(tmp_path: Path) -> None:
    tree = Tree(root=tmp_path / "root", tests=tmp_path / "tests")
    tree.root.mkdir()
    for name, text in (("a.py", b"if 1:\n    x = 1\n"), ("kept.py", b"if 1:\n    x = 1\n"), ("bad.py", b"(")):
        (tree.root / name).write_bytes(text)
    assert LEVER.shave is not None
    shaved = LEVER.shave(tree, {"keep": ("kept.py",)})
    assert (shaved.saved, shaved.files, shaved.note) == (3, 1, "left as they were: 1")
    assert (tree.root / "a.py").read_bytes() == b"if 1:\n x = 1\n"
