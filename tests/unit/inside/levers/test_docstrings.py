"""The docstring lever: what goes, what stays, and where it stays."""

from __future__ import annotations

import ast
import asyncio
import email
import io
import json
import re
import tokenize
from pathlib import Path
from types import ModuleType

import pytest

from spokeshave.inside.levers.docstrings import LEVER, blank
from spokeshave.inside.levers.lever import Tree

CASES: dict[str, tuple[str, str]] = {
    "module": ('"""doc"""\nx = 1\n', "\nx = 1\n"),
    "module, several lines": ('"""doc\n\nmore\n"""\nx = 1\n', "\n\n\n\nx = 1\n"),
    "module, nothing else": ('"""doc"""', ""),
    "module, comments around": ('# a\n"""doc"""  # b\n# c\n', "# a\n           # b\n# c\n"),
    "future import": (
        '"""doc"""\nfrom __future__ import annotations\n',
        "\nfrom __future__ import annotations\n",
    ),
    "module, semicolon": ('"""doc"""; import os\n', "pass     ; import os\n"),
    "module, idle semicolon": (
        '"""doc""";  # c\nfrom __future__ import annotations\n',
        "            # c\nfrom __future__ import annotations\n",
    ),
    "semicolon and future": ('"doc"; from __future__ import annotations\n',) * 2,
    "function, only a docstring": ('def f():\n    """doc"""\n', "def f():\n    pass\n"),
    "function, more": ('def f():\n    """doc"""\n    return 1\n', "def f():\n\n    return 1\n"),
    "comment after": (
        'def f():\n    """doc"""  # c\n    return 1\n',
        "def f():\n               # c\n    return 1\n",
    ),
    "comment after the only docstring": (
        'def f():\n    """a\n    b"""  # c\n\nx = 1\n',
        "def f():\n    pass\n          # c\n\nx = 1\n",
    ),
    "empty docstring before a comment": ('def f(): ""  # c\n', "def f(): 0   # c\n"),
    "one line": ('def f(): "doc"\n', "def f(): pass\n"),
    "one line, more": ('def f(): "doc"; return 1\n', "def f(): pass ; return 1\n"),
    "one line, docstring of two": ('def f(): """a\nb"""\nx = 1\n', "def f(): pass\n\nx = 1\n"),
    "class": ('class A:\n    "doc"\n\n    x = 1\n', "class A:\n\n\n    x = 1\n"),
    "semicolon in a body": ('def f():\n\t"doc"; x = 1\n\ty\n', "def f():\n\tpass ; x = 1\n\ty\n"),
    "semicolon after several lines": (
        'def f():\n    """doc\n"""; x = 1\n    y\n',
        "def f():\n    (0\n  ); x = 1\n    y\n",
    ),
    "parentheses": ('def f():\n    ("a"\n     "b")\n    x\n', "def f():\n\n\n    x\n"),
    "parentheses and semicolon": (
        'def f():\n    (\n  "a"  # c\n    ); x\n',
        "def f():\n    (0\n\n    ); x\n",
    ),
    "implicit concatenation": ("def f():\n    'a' r'b'\n", "def f():\n    pass\n"),
    "continued concatenation": ("def f():\n    'a' \\\n    'b'\n    x\n", "def f():\n\n\n    x\n"),
    "continued string": ("def f():\n    'a\\\n    b'\n    x\n", "def f():\n\n\n    x\n"),
    "backslash before": ('def f(): \\\n    "doc"\n', "def f(): \\\n    pass\n"),
    "backslash between": ('def f():\n \\\n "doc"\n x\n', "def f():\n \\\n pass\n x\n"),
    "backslash after": ('def f():\n  "doc" \\\n  ; x\n', "def f():\n  pass  \\\n  ; x\n"),
    "comment that ends in a backslash": (
        '# c \\\n"doc"\nfrom __future__ import annotations\n',
        "# c \\\n\nfrom __future__ import annotations\n",
    ),
    "second string": (
        'def f():\n    "a"\n    "b"\n    x\n',
        'def f():\n    pass\n    "b"\n    x\n',
    ),
    "second string of a module": ('"doc"\n"b"\n', 'pass\n"b"\n'),
    "f-string": ('def f():\n    f"doc"\n',) * 2,
    "bytes": ('def f():\n    b"doc"\n',) * 2,
    "expression": ('def f():\n    "doc" % 1\n',) * 2,
    "attribute docstring": ('x = 1\n"about x"\n',) * 2,
    "nested": (
        'async def f():\n    "a"\n    if T:\n        class A:\n            "b"\n    def g(): "c"\n',
        "async def f():\n\n    if T:\n        class A:\n            pass\n    def g(): pass\n",
    ),
    "decorators": ('@d\n@e(\n)\ndef f():\n    "a"\n', "@d\n@e(\n)\ndef f():\n    pass\n"),
    "tabs inside": ('class A:\n\t"\ta"\t# c\n\tx = 1\n', "class A:\n\t    \t# c\n\tx = 1\n"),
    "form feed": ('\f"""a\f\n"""\n\fx = 1\n', "\n\n\fx = 1\n"),
    "unicode line ends are none": ('"a\x85\u2028\x1d"\nx = 1\n', "\nx = 1\n"),
    "carriage returns": (
        'def f():\r\n    """a\r\n    b"""\r\n    x\r\n',
        "def f():\r\n\r\n\r\n    x\r\n",
    ),
    "lone carriage returns": ('"""a\rb"""\rx = 1\r', "\r\rx = 1\r"),
    "mixed line ends": ('"""a\r\nb\nc"""\nx = 1\r\n', "\r\n\n\nx = 1\r\n"),
    "bom": ('\ufeff"""doc"""\nx = "ä"\n', '\ufeff\nx = "ä"\n'),
    "template": ('"""doc"""\n{{ cookiecutter }} = 1 !\n',) * 2,
    "null byte": ('"""doc"""\n\0\n',) * 2,
    "return outside": ('"""doc"""\nreturn 1\n',) * 2,
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES.keys())
def test_exact_outcome(before: str, after: str) -> None:
    assert blank(before.encode()).decode() == after


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES.keys())
def test_a_second_pass_changes_nothing(before: str, after: str) -> None:
    assert blank(after.encode()).decode() == after


def test_other_encodings_stay() -> None:
    source = '# coding: latin-1\n"""Größe"""\nx = "ß"  # é\n'
    shaved = '# coding: latin-1\n\nx = "ß"  # é\n'
    assert blank(source.encode("latin-1")) == shaved.encode("latin-1")


@pytest.mark.parametrize("source", [b'# coding: klingon\n"doc"\n', b'"\xff"\n', b"", b"\n"])
def test_what_cannot_be_read_stays(source: bytes) -> None:
    assert blank(source) == source


def test_a_coding_line_that_would_come_alive_stays_asleep() -> None:
    source = '"""doc"""\n# coding: latin-1\nx = "ß"\n'.encode()
    assert blank(source) == source


def test_no_docstring_is_left_at_run_time() -> None:
    source = (
        '"m"\nclass A:\n    "a"\n    def f(self):\n        "f"\n        return 1\n'
        'def g(): "g"; return 2\nasync def h():\n    """h\n    """; x = 1\n'
        'def i():\n    "i"\n    "j"\n'
    )
    module = ModuleType("m")
    exec(compile(blank(source.encode()), "m.py", "exec"), module.__dict__)
    owners = [module, module.A, module.A.f, module.g, module.h, module.i]
    assert [owner.__doc__ for owner in owners] == [None] * 6
    assert (module.A().f(), module.g()) == (1, 2)


def _tokens(source: bytes) -> list[tuple[int, str, tuple[int, int]]]:
    """All tokens with their places, but for layout, strings and what takes a docstring's place."""
    layout = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.STRING}
    found = tokenize.tokenize(io.BytesIO(source).readline)
    return [
        (token.type, token.string, token.start)
        for token in found
        if token.type not in layout | {tokenize.ENDMARKER} and token.string != "pass"
    ]


def _documented(tree: ast.Module) -> list[ast.AST]:
    owners = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    found = (node for node in ast.walk(tree) if isinstance(node, owners))
    return [node for node in found if ast.get_docstring(node, clean=False) is not None]


@pytest.mark.parametrize("package", [json, asyncio, email])
def test_real_modules_keep_every_place(package: ModuleType) -> None:
    [folder] = package.__path__
    loose = re.compile(rb"[ \t\f]$", re.MULTILINE)
    saved = 0
    for path in sorted(Path(folder).glob("*.py"))[::2]:
        source = path.read_bytes()
        shaved = blank(source)
        saved += len(source) - len(shaved)
        compile(shaved, str(path), "exec")
        assert shaved.count(b"\n") == source.count(b"\n"), path
        assert not _documented(ast.parse(shaved)), path
        assert _tokens(shaved) == _tokens(source), path
        assert len(loose.findall(shaved)) <= len(loose.findall(source)), path
    assert saved > 1000


def _tree(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Tree(root=root, tests=root.parent / "tests")


def test_shave_touches_modules_only_and_says_what_stayed(tmp_path: Path) -> None:
    doc = '"""doc"""\nx = 1\n'
    names = ("a/b.py", "a/keep.py", "a/c.pyi", "a-1.dist-info/x.py", "a/data.txt")
    tree = _tree(tmp_path / "wheel", {**dict.fromkeys(names, doc), "a/template.py": "{% x %}\n"})
    assert LEVER.shave is not None
    shaved = LEVER.shave(tree, {"keep": ["*/keep.py"]})
    assert (shaved.saved, shaved.files) == (9, 1)
    assert shaved.note == "left as they were: 1 (a/template.py)"
    changed = [tree.name(path) for path in tree.files() if path.read_text() == "\nx = 1\n"]
    assert changed == ["a/b.py"]


NEWDOCS = '''\
TEMPLATE = """{name}{signature}
--

{doc}"""

def helper(name, doc):
    """Text."""
    add_newdoc('m', name, TEMPLATE.format(name=name, signature="()", doc=doc))

@from_dispatcher
def dispatcher(a):
    """
    dispatcher(a, /)
    --

    Text.
    """
    return a

add_newdoc('m', 'gone',
    """
    Text.
    """)
helper('f', """
Text.
""")
add_newdoc('m', 'signed', ('a',
    """
    a($self, /)
    --

    Text.
    """))
add_newdoc('m', 'like', """
    like(x)
    --

    ${ARRAY_FUNCTION_LIKE}
    """)
add_newdoc('m', 'bare', """${ARRAY_FUNCTION_LIKE}""")
for name in ('b', 'c'):
    add_newdoc('m', name, f"""gone""")
    add_newdoc('m', name, f"""
        {name}(x)
        --

        Text.""" + "more")
'''

NEWDOCS_SHAVED = '''\
TEMPLATE = """{name}{signature}
--

""" "\\0"

def helper(name, doc):

    add_newdoc('m', name, TEMPLATE.format(name=name, signature="()", doc=doc))

@from_dispatcher
def dispatcher(a):
    """
    dispatcher(a, /)
    --

    """ "\\0"

    return a





helper('f', ""

   )
add_newdoc('m', 'signed', ('a',
    """
    a($self, /)
    --

    """ "\\0"
       ))
add_newdoc('m', 'like', """
    like(x)
    --

    """ "\\0${ARRAY_FUNCTION_LIKE}"
       )
add_newdoc('m', 'bare', "\\0${ARRAY_FUNCTION_LIKE}"  )
for name in ('b', 'c'):
    pass
    add_newdoc('m', name, f"""
        {name}(x)
        --

        """ "\\0" + "more")
'''


def test_newdocs_keep_only_signatures(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "wheel", {"m/_add_newdocs.py": NEWDOCS, "m/other.py": NEWDOCS})
    assert LEVER.shave is not None
    shaved = LEVER.shave(tree, {"add-newdocs": ["m/_add_newdocs.py"]})
    assert (shaved.files, shaved.note) == (2, "")
    assert (tree.root / "m/_add_newdocs.py").read_text() == NEWDOCS_SHAVED
    assert "Text.\n" in (tree.root / "m/other.py").read_text()
