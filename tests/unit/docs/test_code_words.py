"""The words of docs/words.toml: none of them in code, help, recipes and generated tables."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from codeprose import (
    KINDS,
    commands,
    english,
    files,
    free_texts,
    help_texts,
    pieces,
    shell_comments,
    toml_comments,
)
from docgen import catalogue
from pages import pages, prose
from spokeshave.cli import main
from support import RECIPES, ROOT
from words import allowed, faults


def name_of(path: Path) -> str:
    """The path of a file in the repository."""
    return path.relative_to(ROOT).as_posix()


_PACKAGE = ROOT / "builder" / "spokeshave"
_CODE = {
    **{
        one.name: one
        for one in sorted(_PACKAGE.iterdir())
        if one.suffix == ".py" or (one / "__init__.py").is_file()
    },
    **{name_of(path): path for path in (ROOT / "ci").glob("*.py")},
    "ci/docgen": ROOT / "ci" / "docgen",
    "ci/rulecheck": ROOT / "ci" / "rulecheck",
    "recipes/rules": ROOT / "recipes" / "rules" / "tests",
}
_SCRIPTS = [
    path
    for path in sorted((ROOT / "ci").iterdir())
    if path.is_file() and path.read_text("utf-8").startswith(("#!", "# "))
]
_DATA = sorted(RECIPES.rglob("*.toml"))
_FREE = frozenset({"reason", "summary", "description", "note", "off", "missed"})
_MAKERS = catalogue.makers(ROOT)
_COMMANDS = dict(commands(main))


def texts_of(path: Path) -> Iterator[tuple[str, str]]:
    """The free texts and comments of a recipe's or profile's file, with where they are."""
    source = path.read_text("utf-8")
    yield from free_texts(tomllib.loads(source), _FREE)
    yield from ((f"comment in line {one.line}", one.text) for one in toml_comments(source))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("package", _CODE)
def test_code_of_package_uses_none_of_the_avoided_words(package: str, kind: str) -> None:
    found = [
        f"{name_of(path)}:{one.line}: {fault}"
        for path in files(_CODE[package])
        for one in pieces(path.read_text("utf-8"), kind)
        for fault in faults(one.text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", _SCRIPTS, ids=name_of)
def test_script_of_ci_uses_none_of_the_avoided_words(path: Path) -> None:
    comments = list(shell_comments(path.read_text("utf-8")))
    assert comments
    assert [f"line {one.line}: {fault}" for one in comments for fault in faults(one.text)] == []


@pytest.mark.parametrize("path", _DATA, ids=name_of)
def test_recipe_file_uses_none_of_the_avoided_words(path: Path) -> None:
    found = [f"{where}: {fault}" for where, text in texts_of(path) for fault in faults(text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("command", _COMMANDS.values(), ids=_COMMANDS)
def test_help_of_command_uses_none_of_the_avoided_words(command: click.Command) -> None:
    assert [fault for text in help_texts(command) for fault in faults(text)] == []


@pytest.mark.parametrize("region", _MAKERS)
def test_generated_region_uses_none_of_the_avoided_words(region: str) -> None:
    text = english(prose(_MAKERS[region]()))
    assert faults(text) == []


def test_words_each_allowed_phrase_is_used() -> None:
    read = [prose(page.read_text("utf-8")) for page in pages()]
    read += [text for path in _DATA for _, text in texts_of(path)]
    read += [
        one.text
        for folder in _CODE.values()
        for path in files(folder)
        for kind in KINDS
        for one in pieces(path.read_text("utf-8"), kind)
    ]
    assert [phrase for phrase, pattern in allowed().items() if not any(map(pattern.search, read))] == []


_SAMPLE = '''"""Told once."""  # beside it

# of its
# own
def f(x):
    """Example:
      spokeshave bench --against stock     # the stock wheel
    """
    if x:
        raise ValueError(f"{x} stays", "a `stock` key")
    return f"the {x} goes on", "kit", "stays"
'''


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("docstrings", ["told", "stock"]),
        ("comments", ["beside", "of its own"]),
        ("errors", ["stays"]),
        ("texts", ["goes"]),
    ],
)
def test_pieces_of_each_kind_are_found_without_code(kind: str, expected: list[str]) -> None:
    found = [fault for one in pieces(_SAMPLE, kind) for fault in faults(one.text)]
    assert [fault.split("'")[1] for fault in found] == expected


def test_toml_comments_after_values_and_over_lines_are_found() -> None:
    source = 'a = "x # y"\nb = 1  # beside it\n# of its\n# own\n'
    assert [one.text for one in toml_comments(source)] == ["beside it\nof its\nown"]
    table = tomllib.loads('[[skip]]\nreason = "stays"\ntest = "stock"\n[levers.x]\noff = ["goes"]\n')
    assert list(free_texts(table, _FREE)) == [("skip[0].reason", "stays"), ("levers.x.off", "goes")]


def test_help_texts_hold_text_options_and_epilog() -> None:
    option = click.Option(["--x"], help="Set `stock` beside it.")
    command = click.Command(
        "c", help="Do it.\n\n\b\nExample: spokeshave kit", epilog="The end.", params=[option]
    )
    assert [text.split() for text in help_texts(command)] == [
        ["Do", "it."],
        ["The", "end."],
        ["Set", "`code`", "beside", "it."],
    ]
