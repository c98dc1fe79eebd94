"""What runs of a program have loaded, as a file that a later run adds to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from spokeshave.errors import TraceError
from spokeshave.machine.files import alone_with, write_whole
from spokeshave.trace.processes import Began, Start, unheard

Moment = Literal["program", "call", "loading"]
Kind = Literal["python", "ext", "stub"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Load(_Frozen):
    """A module that was loaded, and the first import of it: by whom, on which line, and when.

    `program`: by a module outside the stack; `call`: by a function of the stack that the program had called;
    `loading`: while a module of the stack was loaded, which alone does not show that it is used. `kind` is
    `stub` where the wheel had one of our stubs instead.
    """

    module: str
    kind: Kind
    importer: str
    line: int
    moment: Moment


class Mention(_Frozen):
    """An import in code of the program that ran; the module may have been loaded before."""

    name: str
    user: str


class Use(_Frozen):
    """A function that ran, of module `user`, and the module of the stack that it is of or has a name from."""

    module: str
    user: str
    function: str


class Recheck(_Frozen):
    """What running the command again showed: `times` runs, each on a copy of the packages without components.

    The last of them ended as the first run had, without `without`. `needed` says of others why they are kept,
    `untried` why the copy had to keep them; `fault` says why there was no such run at all.
    """

    times: int = 0
    without: tuple[str, ...] = ()
    needed: dict[str, str] = {}
    untried: dict[str, str] = {}
    fault: str = ""


class Run(_Frozen):
    """One run of a command, over all its processes.

    `versions` are those of the stack's packages by import name. `lost` says why the record may lack loads or
    calls, `hidden` names Python processes that were started without the recorder. `weights` are bytes of
    components as installed there, without tests, type stubs and sources. `harness` are imports of the
    packages' own conftest.py.
    """

    command: tuple[str, ...]
    date: str
    exit_code: int
    processes: int
    pythons: tuple[str, ...]
    versions: dict[str, tuple[str, ...]]
    loads: tuple[Load, ...]
    mentions: tuple[Mention, ...] = ()
    uses: tuple[Use, ...] = ()
    data: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    weights: dict[str, int] = {}
    harness: tuple[Mention, ...] = ()
    recheck: Recheck | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that the program asked for and that were removed from its wheels."""
        return tuple(load.module for load in self.loads if load.kind == "stub")


class Record(_Frozen):
    """The runs of a program, oldest first."""

    format: Literal[1] = 1
    runs: tuple[Run, ...]


def read_record(path: Path) -> tuple[Run, ...]:
    """The runs of a record; raises TraceError for one that is not there or not well formed."""
    try:
        return Record.model_validate_json(path.read_bytes()).runs
    except FileNotFoundError as fault:
        raise TraceError(
            f"there is no record {path}", next_step="make it with `spokeshave trace --record FILE -- COMMAND`"
        ) from fault
    except OSError as fault:
        raise TraceError(
            f"{path} cannot be read: {fault.strerror}", next_step="name another file, or mend its rights"
        ) from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TraceError(
            f"{path} is no record of `spokeshave trace`: {where} {first['msg']}",
            next_step="name another file",
        ) from fault


def add_run(path: Path, run: Run) -> None:
    """Adds a run to a record, or begins it, after those that other commands add at the same time."""
    with alone_with(path):
        before = read_record(path) if path.exists() else ()
        _write(path, (*before, run))


def replace_run(path: Path, old: Run, new: Run) -> None:
    """Replaces a run in a record; adds it where the record has lost that one."""
    with alone_with(path):
        runs = [run for run in read_record(path) if run != old] if path.exists() else []
        _write(path, (*runs, new))


def _write(path: Path, runs: tuple[Run, ...]) -> None:
    record = Record(runs=runs)
    write_whole(path, json.dumps(record.model_dump(mode="json"), indent=1) + "\n")


class Lines(_Frozen):
    """The merged records of a run's processes; `roots` are the folders of packages, by import name.

    `touched` are messages of stubs and placeholders that were used, in a recheck alone.
    """

    processes: int
    pythons: tuple[str, ...]
    roots: tuple[tuple[str, str], ...]
    loads: tuple[Load, ...]
    mentions: tuple[Mention, ...]
    uses: tuple[Use, ...]
    data: tuple[str, ...]
    lost: tuple[str, ...]
    hidden: tuple[str, ...]
    touched: tuple[str, ...] = ()


def read_lines(files: Iterable[Path]) -> Lines:
    """Merges the files of a run's processes; a line that a crash has cut short is passed over."""
    rows = _rows(files)

    def of(key: str, length: int) -> list[tuple[str, ...]]:
        return sorted(fields for fields in rows.get(key, ()) if len(fields) == length)

    starts = _starts(of("start", 5))
    missing = dict.fromkeys(unheard(starts, _began(of("began", 4))))
    return Lines(
        processes=len(starts),
        pythons=tuple(sorted({start.python for start in starts})),
        roots=tuple((name, folder) for name, folder in of("root", 2)),
        loads=_loads(of("load", 5)),
        mentions=tuple(Mention(name=name, user=user) for name, user in of("mention", 2)),
        uses=tuple(
            [Use(module=module, user=module, function=function) for module, function in of("ran", 2)]
            + [Use(module=module, user=user, function=function) for module, user, function in of("named", 3)]
        ),
        data=tuple(name for (name,) in of("data", 1)),
        lost=(
            *(why for (why,) in of("lost", 1)),
            *(f"a Python process recorded nothing: {command}" for command in missing),
        ),
        hidden=tuple(what for (what,) in of("hidden", 1)),
        touched=tuple(message for (message,) in of("touched", 1)),
    )


def read_starts(files: Iterable[Path]) -> list[Start]:
    """The processes of a run."""
    return _starts(fields for fields in _rows(files).get("start", ()) if len(fields) == 5)


def _rows(files: Iterable[Path]) -> dict[str, dict[tuple[str, ...], None]]:
    rows: dict[str, dict[tuple[str, ...], None]] = {}
    for path in sorted(files):
        for line in path.read_text("utf-8", "replace").split("\n")[:-1]:
            key, *fields = line.split("\t")
            rows.setdefault(key, {})[tuple(fields)] = None
    return rows


def _starts(rows: Iterable[tuple[str, ...]]) -> list[Start]:
    return [
        Start(how=how, pid=int(pid), parent=int(parent), token=token, python=python)
        for how, pid, parent, token, python in rows
    ]


def _began(rows: Iterable[tuple[str, ...]]) -> list[Began]:
    return [
        Began(way=way, pid=int(pid), number=int(number), command=command)
        for way, pid, number, command in rows
    ]


def _loads(rows: Iterable[tuple[str, ...]]) -> tuple[Load, ...]:
    return tuple(
        Load.model_validate(
            {"module": module, "kind": kind, "importer": importer, "line": line, "moment": moment}
        )
        for module, kind, importer, line, moment in rows
    )
