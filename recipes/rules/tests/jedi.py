"""Completion, definitions and signatures of the standard library and of a small module."""

from __future__ import annotations

CODE = """
import collections, json, os.path, re, subprocess
from pathlib import Path

class Base:
    def method(self, a: int, b='x') -> Path:
        '''Text.'''
        return Path('.')

def read():
    with open('x') as stream:
        return stream.read()
"""
LINES = (
    "Base().meth",
    "Base().method(1).par",
    "json.du",
    "os.path.joi",
    "re.compile('a').ma",
    "read().spl",
    "collections.Counter('a').most",
    "subprocess.run(['a']).std",
    "{'a': 1}.it",
)


def completion() -> object:
    """Names that complete each line, what they are, and signatures."""
    import jedi

    found = []
    for line in LINES:
        text = f"{CODE}\n{line}"
        names = jedi.Script(text).complete(text.count("\n") + 1, len(line))
        found.append([[one.name, one.type] for one in names])
    text = f"{CODE}\nBase().method("
    signatures = jedi.Script(text).get_signatures(text.count("\n") + 1, len("Base().method("))
    tree = jedi.Script(CODE).get_names(all_scopes=True)
    inferred = jedi.Script(f"{CODE}\nBase().method(1).parent").infer()
    return [
        found,
        [one.to_string() for one in signatures],
        [[one.full_name, one.line] for one in tree],
        [one.full_name for one in inferred],
        [one.name for one in jedi.Interpreter("x.upp", [{"x": "text"}]).complete()],
    ]
