"""README and docs as a reader meets them: short, with links that lead somewhere and commands that exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from codeprose import english, pieces
from pages import anchors, blocks, links, pages
from spokeshave.cli import main
from support import ROOT

BY_NAME = {str(page.relative_to(ROOT)): page for page in pages()}
PACKAGE = ROOT / "builder" / "spokeshave"


def test_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", BY_NAME.values(), ids=BY_NAME)
def test_page_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for link in links(page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            broken.append(link)
    assert broken == []


def commands(page: Path) -> list[str]:
    """The lines of a page's code that run spokeshave, with its subcommand and options."""
    code = [block.text for block in blocks(page.read_text("utf-8")) if block.kind in {"", "console", "yaml"}]
    code += [match for match in re.findall(r"`(spokeshave [^`]+)`", page.read_text("utf-8"))]
    lines = [line for text in code for line in text.splitlines()]
    return [match[0] for line in lines if (match := re.search(r"(?<!\w)spokeshave (?![\d-]*$).*", line))]


def fault_of(line: str) -> str:
    """What of a command line does not exist; empty where all does."""
    words = [word for word in shlex.split(line, comments=True)[1:] if word != "…"]
    command: click.Command = main
    while words:
        word = words.pop(0)
        if word == "--" or word in {"--help", "-h", "--version"}:
            return ""
        options = {
            name: option for option in command.params for name in (*option.opts, *option.secondary_opts)
        }
        if word.startswith("-"):
            if word not in options:
                return f"{command.name} has no option {word}"
            option = options[word]
            if isinstance(option, click.Option) and not option.is_flag and words:
                words.pop(0)
        elif isinstance(command, click.Group):
            if word not in command.commands:
                return "" if word.isupper() else f"no command {word}"
            command = command.commands[word]
    return ""


@pytest.mark.parametrize("page", BY_NAME.values(), ids=BY_NAME)
def test_page_commands_and_options_exist(page: Path) -> None:
    found = {line: fault_of(line) for line in commands(page)}
    assert {line: fault for line, fault in found.items() if fault} == {}


def quoted(page: Path) -> list[str]:
    """The errors and next steps that a page quotes from a run of a command."""
    code = [block.text for block in blocks(page.read_text("utf-8")) if block.kind == "console"]
    return [text for one in code for text in re.findall(r"(?m)^\s*(?:error|next): (.*)$", one)]


def test_page_quoted_errors_are_those_of_the_code() -> None:
    texts = [
        one.text
        for path in PACKAGE.rglob("*.py")
        for kind in ("errors", "texts")
        for one in pieces(path.read_text("utf-8"), kind)
    ]
    known = [re.compile(re.escape(text.split("\n")[0]).replace("`code`", ".*")) for text in texts]
    lines = [english(line) for page in BY_NAME.values() for line in quoted(page)]
    assert len(lines) >= 3
    assert [line for line in lines if not any(one.fullmatch(line) for one in known)] == []


def test_page_commands_that_do_not_exist_are_found() -> None:
    assert fault_of("spokeshave shave numpy") == "no command shave"
    assert fault_of("spokeshave plan numpy --fast") == "plan has no option --fast"
    assert fault_of("spokeshave --cache x build numpy --profile lean -- --fast") == ""


def test_readme_lists_every_command() -> None:
    rows = re.findall(r"(?m)^\| `spokeshave (\w+)", (ROOT / "README.md").read_text("utf-8"))
    assert set(rows) == {name for name, command in main.commands.items() if not command.hidden}


def rows_of(page: Path, heading: str) -> list[tuple[str, str]]:
    """The rows of the table with two columns below a heading, without the table's own heading."""
    section = page.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"(?m)^\| (.*?) \| (.*) \|$", section.partition("|---|---|\n")[2])


def test_architecture_tasks_are_distinct_with_files_that_exist() -> None:
    rows = rows_of(BY_NAME["docs/explanation/architecture.md"], "Where to change what")
    assert rows and len(rows) == len({task for task, _ in rows})
    files = {task: re.findall(r"`([^`]+)`", cell) for task, cell in rows}
    assert [task for task, names in files.items() if not names] == []
    inside = {
        name: (PACKAGE / name, PACKAGE / files[task][0] / name, ROOT / name)
        for task in files
        for name in files[task]
    }
    assert [name for name, paths in inside.items() if not any(path.exists() for path in paths)] == []


def test_architecture_packages_are_those_of_import_linter_in_its_order() -> None:
    rows = rows_of(BY_NAME["docs/explanation/architecture.md"], "Packages")
    data = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = next(one for one in data["tool"]["importlinter"]["contracts"] if one["type"] == "layers")[
        "layers"
    ]
    names = [name.strip("`/") for name, _ in rows]
    assert names == [name for layer in layers for name in layer.split(" : ")]


def test_site_lists_every_page() -> None:
    docs = ROOT / "docs"
    listed = set(re.findall(r"(?m)^([a-z-]+(?:/[a-z-]+)?)$", (docs / "index.md").read_text("utf-8")))
    there = {str(page.relative_to(docs).with_suffix("")) for page in BY_NAME.values() if docs in page.parents}
    assert listed >= there - {"index"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_howto_shell_completion_prints_a_script(shell: str) -> None:
    page = BY_NAME["docs/how-to/shell-completion.md"].read_text("utf-8")
    assert f"_SPOKESHAVE_COMPLETE={shell}_source spokeshave" in page
    program = Path(sys.executable).with_name("spokeshave")
    env = {**os.environ, "_SPOKESHAVE_COMPLETE": f"{shell}_source"}
    done = subprocess.run([program], env=env, capture_output=True, text=True, check=True)
    assert f"_SPOKESHAVE_COMPLETE={shell}_complete" in done.stdout
