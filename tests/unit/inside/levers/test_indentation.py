"""Indentation shrinks; lines, strings and the meaning stay, or the file stays as it was."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from functionsources import definitions, lines_of, lost, parses_alone
from spokeshave.inside.levers.indentation import LEVER, shrink_indentation
from spokeshave.inside.levers.lever import Tree


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


SOURCES = [
    b"class A:\n    def f(self,\n          x=(1,\n     2)):\n        return [\n    x]\n",
    b"class A:\n    @deco(\n        1,\n    )\n    def f(self):\n        return 1 + \\\n            2\n",
    b"def f():\n    def g():\n        return (1,\n\n            2)\n    return g\n",
    b"def f():\n    return h(\n        (lambda x: (x +\n                   1)),\n        2)\n",
    b"if 1:\n    f = lambda x: (x +\n        1)\n",
    b"class A:\n    # 1\n    def f(self):\n        # 2\n        return 1\n        # 3\n    # 4\n\n# 5\n",
    b"class A:\n    def f(self):\n        if 1:\n            # a\n          return (1,\n    # in\n     2)\n",
    b"class A:\n\tdef f(self):\n\t\t# tab\n\t\treturn (1,\n\t\t\t2)\n",
    b"class A:\n    def f(self):\n        return ('''\n        a\n          b''',\n                1)\n",
    b"class A(\n    object,\n):\n    def f(self): return (1,\n        2)\n",
]


@pytest.mark.parametrize("source", SOURCES)
def test_shrink_source_of_each_function_parses_alone(source: bytes) -> None:
    shaved = shrink_indentation(source)
    assert shaved is not None and shaved != source
    assert lost(source, shaved) == []
    assert any(parses_alone(lines_of(shaved), line) for line in definitions(source))


def test_shrink_text_of_strings_is_the_same() -> None:
    source = b'def f():\n    return ("""\n  a\n      b\n""",\n        1)\n'
    assert shrink_indentation(source) == b'def f():\n return ("""\n  a\n      b\n""",\n 1)\n'


def test_shrink_comments_stay_with_their_block() -> None:
    source = (
        b"class A:\n    def f(self):\n        return 1\n        # f\n    # A\n# none\n    # A\n    x = 1\n"
    )
    shaved = b"class A:\n def f(self):\n  return 1\n  # f\n # A\n# none\n # A\n x = 1\n"
    assert shrink_indentation(source) == shaved


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
