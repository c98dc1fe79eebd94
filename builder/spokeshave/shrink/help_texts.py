"""The commands that wheels install, started with `--help` from PyPI's wheels and from ours."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser, Error
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spokeshave.context import Context
from spokeshave.inside.run import SYSTEM_PATH, Command, clean_environment
from spokeshave.machine.venvs import Venv
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen

_SECONDS = 60.0  # for one command; the slow ones import for five, on a busy machine ten times that
_PATIENCE = 4  # times the usual seconds, for a command that is repeated
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_SHOWN = 200  # characters of a line in a fault
_LATE = "did not end"


@dataclass(frozen=True, kw_only=True, slots=True)
class Helps:
    """By project: how many commands print the same from both, and what differs."""

    same: Mapping[str, int]
    faults: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Said:
    """How a command ended, and its output without what differs from venv to venv."""

    end: str
    text: str


def compare_help(context: Context, chosen: Sequence[Chosen], pair: tuple[Venv, Venv], folder: Path) -> Helps:
    """Starts each command in both venvs; one whose output differs from run to run is compared by its end."""
    commands = [
        (one.pick.project, name) for one in chosen if not one.extra for name in commands_of(one.stock)
    ]
    jobs = [(name, venv) for _, name in commands for venv in pair]
    run = _Starter(context=context, chosen=chosen, folder=folder)
    found = side_by_side(context.cpus, [partial(run, *job) for job in jobs])
    same: dict[str, int] = {}
    faults: dict[str, tuple[str, ...]] = {}
    for at, (project, name) in enumerate(commands):
        theirs, ours = found[2 * at], found[2 * at + 1]
        if theirs != ours:  # a fault must occur in two runs
            ours = run(name, pair[1], _PATIENCE * _SECONDS)
        if theirs == ours or _varies(theirs, ours, partial(run, name, pair[0])):
            same[project] = same.get(project, 0) + (theirs.end != _LATE)
        else:
            faults[project] = (*faults.get(project, ()), _difference(name, theirs, ours))
    return Helps(same=same, faults=faults)


def commands_of(wheel: Path) -> tuple[str, ...]:
    """The console scripts of a wheel, sorted; none where its entry points cannot be read."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        text = archive.read(names[0]).decode("utf-8", "replace") if names else ""
    parser = ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except Error:
        return ()
    return tuple(sorted(parser["console_scripts"])) if parser.has_section("console_scripts") else ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Starter:
    """Starts commands with `--help`, each in a separate home folder below `folder`."""

    context: Context
    chosen: Sequence[Chosen]
    folder: Path

    def __call__(self, name: str, venv: Venv, seconds: float = _SECONDS) -> _Said:
        home = self.folder / venv.root.name / name
        home.mkdir(parents=True, exist_ok=True)
        path = f"{venv.root / 'bin'}:{SYSTEM_PATH}"
        env = clean_environment(home, path=path, COLUMNS="100", MPLBACKEND="agg")
        argv = (str(venv.root / "bin" / name), "--help")
        try:
            done = self.context.runner(Command(argv=argv, cwd=home, env=env, timeout=seconds))
        except TimeoutError:
            return _Said(_LATE, "")
        except OSError as fault:
            return _Said(f"cannot be started: {fault.strerror}", "")
        text = done.output.replace(str(venv.root), "VENV").replace(str(home), "HOME")
        return _Said(f"exit code {done.returncode}", _ADDRESS.sub("0x", without_labels(text, self.chosen)))


def without_labels(text: str, chosen: Sequence[Chosen]) -> str:
    """A text with PyPI's versions instead of ours."""
    for one in chosen:
        if one.changed and (version := one.wheel.name.split("-")[1]) in text:
            text = text.replace(version, str(one.pick.version))
    return text


def _varies(theirs: _Said, ours: _Said, again: partial[_Said]) -> bool:
    """Whether PyPI's own output differs from run to run; then equal ends are as good as it gets."""
    return theirs.end == ours.end and theirs.end != _LATE and again().text != theirs.text


def _difference(name: str, theirs: _Said, ours: _Said) -> str:
    if theirs.end != ours.end:
        last = ours.text.strip().splitlines()[-1:]
        return f"`{name} --help`: {theirs.end} with PyPI's, {ours.end} with ours" + "".join(
            f" ({line[:_SHOWN]})" for line in last
        )
    return f"`{name} --help` prints something else: {next(_differing(theirs.text, ours.text), '')}"


def _differing(theirs: str, ours: str) -> Iterator[str]:
    rows = ours.splitlines()
    for number, line in enumerate(theirs.splitlines()):
        mine = rows[number] if number < len(rows) else ""
        if line != mine:
            yield f"line {number + 1} is {mine[:_SHOWN]!r}, not {line[:_SHOWN]!r}"
