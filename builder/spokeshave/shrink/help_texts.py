"""The commands that wheels install, started with `--help` from PyPI's wheels and from ours."""

from __future__ import annotations

import ast
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from configparser import ConfigParser, Error
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from spokeshave.context import Context
from spokeshave.inside.run import SYSTEM_PATH, Command, clean_environment
from spokeshave.machine.venvs import Venv
from spokeshave.shrink.blame import Fault
from spokeshave.shrink.lanes import side_by_side
from spokeshave.shrink.model import Chosen

_SECONDS = 60.0  # for one command; the slow ones import for five, on a busy machine ten times that
_PATIENCE = 4  # times the usual seconds, for a command that is repeated
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_SHOWN = 200  # characters of a line in a fault
_LATE = "did not end"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
Script = tuple[str, str]  # project and name


@dataclass(frozen=True, slots=True)
class _Said:
    """How a command ended, and its output without what differs from venv to venv."""

    end: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Helps:
    """PyPI's output by project and command, the commands that print the same from both, and the faults."""

    theirs: Mapping[Script, _Said] = field(default_factory=dict)
    alike: frozenset[Script] = frozenset()
    faults: tuple[Fault, ...] = ()

    @property
    def same(self) -> Mapping[str, int]:
        """By project, how many commands print the same."""
        return dict(Counter(project for project, _ in self.alike))


def compare_help(
    context: Context,
    chosen: Sequence[Chosen],
    pair: tuple[Venv, Venv],
    folder: Path,
    *,
    wanted: Sequence[Script],
    before: Helps | None = None,
) -> Helps:
    """Starts commands with `--help` from ours, and from PyPI's those that `before` does not have.

    The results replace those of `before`. A command whose output differs from run to run is compared by its
    end.
    """
    before = before or Helps()
    run = _Starter(context=context, chosen=chosen, folder=folder)
    missing = [one for one in wanted if one not in before.theirs]
    jobs = [(name, pair[0]) for _, name in missing] + [(name, pair[1]) for _, name in wanted]
    found = side_by_side(context.cpus, [partial(run, *job) for job in jobs])
    known = {**before.theirs, **dict(zip(missing, found, strict=False))}
    alike = set(before.alike.difference(wanted))
    faults = [fault for fault in before.faults if (fault.project, fault.name) not in wanted]
    for (project, name), first in zip(wanted, found[len(missing) :], strict=True):
        theirs = known[project, name]
        ours = (
            first if theirs == first else run(name, pair[1], _PATIENCE * _SECONDS)
        )  # a fault needs two runs
        if theirs == ours or _varies(theirs, ours, partial(run, name, pair[0])):
            alike |= {(project, name)} if theirs.end != _LATE else set()
        else:
            text = _difference(name, theirs, ours)
            faults.append(Fault(project=project, kind="command", name=name, text=text))
    return Helps(theirs=known, alike=frozenset(alike), faults=tuple(faults))


def commands_of(wheel: Path) -> Mapping[str, str]:
    """The console scripts of a wheel with their entry points; none where those cannot be read."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        text = archive.read(names[0]).decode("utf-8", "replace") if names else ""
    parser = ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except Error:
        return {}
    return dict(sorted(parser["console_scripts"].items())) if parser.has_section("console_scripts") else {}


def help_sources(wheel: Path, command: str, known: Collection[str]) -> tuple[str, ...]:
    """The files whose docstrings a help text may show: the module of the entry point, else of its package.

    The module comes first; if it is `known` already, or has no docstrings, the others of its package follow.
    """
    module = commands_of(wheel).get(command, "").partition(":")[0].strip().replace(".", "/")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry = next((one for one in (f"{module}.py", f"{module}/__init__.py") if one in names), "")
        if not entry or (entry not in known and _has_docstrings(archive.read(entry))):
            return (entry,) if entry else ()
        package = f"{entry.rpartition('/')[0]}/"
        inside = sorted(one for one in names - {entry} if one.startswith(package) and one.endswith(".py"))
        return tuple(one for one in inside if _has_docstrings(archive.read(one)))


def _has_docstrings(source: bytes) -> bool:
    try:
        nodes = ast.walk(ast.parse(source))
        return any(isinstance(one, _DOCUMENTED) and ast.get_docstring(one, clean=False) for one in nodes)
    except (SyntaxError, ValueError, RecursionError):
        return False


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
