"""Help: groups, widths, pipes. Its words are checked with those of the code, in tests/unit/docs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from spokeshave.cli import _SECTIONS, main


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        if not command.hidden:
            yield (*path, name), command


COMMANDS = dict(commands(main))


def help_of(path: tuple[str, ...], width: int) -> str:
    env = {"COLUMNS": str(width)}
    return CliRunner().invoke(main, [*path, "--help"], env=env).output


def test_help_has_every_command_in_one_group() -> None:
    named = [name for _, names in _SECTIONS for name in names]
    assert sorted(named) == sorted({path[0] for path in COMMANDS})
    text = help_of((), 80)
    places = [text.index(f"\n{title}:\n") for title, _ in _SECTIONS]
    assert places == sorted(places)
    assert "\nCommands:" not in text
    assert not re.search(r"^ +measure ", text, re.MULTILINE), "the old name is hidden"


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("path", [(), *COMMANDS], ids=" ".join)
def test_help_at_width_breaks_no_word_and_keeps_examples(path: tuple[str, ...], width: int) -> None:
    text = help_of(path, width)
    command = COMMANDS[path] if path else main
    prose, _, examples = str(command.help).partition("\b\n    Example")
    found = set(text.split())
    texts = [prose, *(one.help for one in command.params if isinstance(one, click.Option) and one.help)]
    assert not {word for one in texts for word in one.replace("\b", "").split()} - found
    flat = [line.strip().removeprefix("Example: ") for line in text.splitlines()]
    for line in re.findall(r"spokeshave [^\n]+", examples):
        assert line.strip() in flat, "an example is one line, to be copied"
    long = [line for line in text.splitlines() if len(line) > width and "spokeshave" not in line]
    assert not long, long
    assert "\N{HORIZONTAL ELLIPSIS}" not in text.replace("wheelhouse/…", "")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_and_options_begin_with_a_verb(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    first = str(command.help).strip().partition("\n\n")[0]
    assert re.match(r"[A-Z][a-z]+ ", first) and first.endswith(".")
    assert len(first) < 120, "the first line is the command's row in the list of commands"
    for one in command.params:
        if isinstance(one, click.Option) and one.name != "help":
            assert one.help and re.match(r"[A-Z][a-z]+ ", one.help), (one.name, one.help)


def test_help_in_a_pipe_has_no_colour_and_no_box() -> None:
    env = {**os.environ, "COLUMNS": "80", "GITHUB_ACTIONS": "true", "RICH_CLICK_THEME": "star-modern"}
    env.pop("FORCE_COLOR", None)
    argv = [sys.executable, "-m", "spokeshave", "build", "--help"]
    text = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout
    assert text.isascii() and "\x1b" not in text
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_error_on_a_narrow_terminal_is_one_line() -> None:
    result = CliRunner().invoke(main, ["bench", "--level", "x"], env={"COLUMNS": "40"})
    assert result.exit_code == 2
    assert "Error: No such option '--level'" in result.stderr.replace("No such option:", "No such option")
