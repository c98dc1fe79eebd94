"""The English in our code: docstrings, comments, error messages, other texts, help texts."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

_COMMAND = re.compile(r"(?m)^\s*(?:Examples?: )?spokeshave .*?(?=\s#|$)")
_SPAN = re.compile(r"`[^`]*`")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
KINDS = ("docstrings", "comments", "errors", "texts")


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A text of a file, with the line that it begins in; code spans are replaced by one word."""

    line: int
    text: str


def english(text: str) -> str:
    """A text without code spans and without the command lines of examples; their comments are kept."""
    return _SPAN.sub("`code`", _COMMAND.sub("", text))


def pieces(source: str, kind: str) -> list[Piece]:
    """The texts of one kind in a Python file.

    `errors` are the strings inside `raise` statements, `texts` all others of at least three words.
    """
    if kind == "comments":
        return list(_comments(source))
    tree = ast.parse(source)
    documents = list(_documents(tree))
    if kind == "docstrings":
        return [_piece(node) for node in documents]
    raised = {
        id(node) for found in ast.walk(tree) if isinstance(found, ast.Raise) for node in _strings(found)
    }
    if kind == "errors":
        return [_piece(node) for node in _strings(tree) if id(node) in raised]
    assert kind == "texts", kind
    known = raised | {id(node) for node in documents}
    rest = [_piece(node) for node in _strings(tree) if id(node) not in known]
    return [one for one in rest if len(one.text.split()) >= 3]


def _documents(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr):
            value = node.body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value


def _strings(tree: ast.AST) -> list[ast.Constant | ast.JoinedStr]:
    """All strings; an f-string counts once, whole."""
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    plain = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
    ]
    return [*joined, *plain]


def _piece(node: ast.Constant | ast.JoinedStr) -> Piece:
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    parts = [str(part.value) if isinstance(part, ast.Constant) else "`value`" for part in values]
    return Piece(line=node.lineno, text=english("".join(parts)))


def _comments(source: str) -> Iterator[Piece]:
    """Comments; lines that follow one another are one text."""
    lines: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != lines[-1][0] + 1:
            yield _joined(lines)
            lines = []
        lines.append((token.start[0], token.string.lstrip("# ")))
    if lines:
        yield _joined(lines)


def _joined(lines: list[tuple[int, str]]) -> Piece:
    return Piece(line=lines[0][0], text=english("\n".join(text for _, text in lines)))


def toml_comments(source: str) -> Iterator[Piece]:
    """The comments of a TOML file; lines that follow one another are one text."""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(source.splitlines(), 1):
        match = re.fullmatch(r"""((?:[^"'#]|"[^"]*"|'[^']*')*)#(.*)""", line)
        if match is None:
            continue
        if lines and (number != lines[-1][0] + 1 or match[1].strip()):
            yield _joined(lines)
            lines = []
        lines.append((number, match[2].strip()))
    if lines:
        yield _joined(lines)


def shell_comments(source: str) -> Iterator[Piece]:
    """The comments of a shell script, line by line."""
    for number, line in enumerate(source.splitlines(), 1):
        if match := re.search(r"(?:^|\s)#[^!](.*)", line):
            yield Piece(line=number, text=english(match[1]))


def free_texts(table: object, keys: frozenset[str], path: str = "") -> Iterator[tuple[str, str]]:
    """The texts of a TOML table under the given keys, with their paths."""
    if isinstance(table, dict):
        for key, value in table.items():
            where = f"{path}.{key}".lstrip(".")
            if key in keys and isinstance(value, (str, list)):
                for text in [value] if isinstance(value, str) else value:
                    yield where, english(text)
            else:
                yield from free_texts(value, keys, where)
    elif isinstance(table, list):
        for number, value in enumerate(table):
            yield from free_texts(value, keys, f"{path}[{number}]")


def commands(command: click.Command, name: str = "spokeshave") -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, by the words that run them."""
    yield name, command
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from commands(below, f"{name} {below.name}")


def help_texts(command: click.Command) -> list[str]:
    """What the help of a command says: its text, its epilog, its options."""
    parts = [command.help, command.epilog, command.short_help, command.deprecated]
    parts += [option.help for option in command.params if isinstance(option, click.Option)]
    return [english(part.replace("\b", "")) for part in parts if isinstance(part, str)]


def files(folder: Path) -> list[Path]:
    """The Python files of a package, or the file itself."""
    return [folder] if folder.is_file() else sorted(folder.rglob("*.py"))
