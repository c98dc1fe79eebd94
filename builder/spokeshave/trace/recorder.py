"""Records what a Python process loads and uses of some packages, into a file of that process.

Standard library only, Python 3.11 to 3.14: `inject.py` copies it and its neighbours into a package next to a
`sitecustomize.py`, so that it runs in every Python process of the traced command. All that it imports, it
imports at the start: the program may change its root folder. It never raises: what it cannot do, it leaves.

This file records what processes load and start, `calls.py` what they use: its table says what is visible
in which Python. `journal.py` writes the lines and reports losses.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FrameType
from typing import Any

from .calls import Calls
from .child_commands import kind_of, shown
from .journal import Journal
from .scope import Scope, module_name

_CODE_SUFFIXES = (".py", ".pyc", ".so")
_STUB = " is not in this wheel of "
_HERE = os.path.dirname(__file__)  # noqa: PTH120  (pathlib would be loaded into the program)
_INJECTED = os.path.dirname(_HERE)  # noqa: PTH120


class Recorder:
    """Records one process; `packages` are import names, `watched` modules of components.

    Without `calls` it listens to loads and stubs alone, which costs the program no time.
    """

    def __init__(
        self, output: str, packages: Iterable[str], watched: Iterable[str], *, calls: bool = True
    ) -> None:
        self._listens = calls
        self._journal = Journal(output)
        self._scope = Scope(packages, watched)
        self._calls = Calls(self._scope, self._journal)
        self._roots: dict[str, str] = {}
        self._started = 0  # processes
        self._events: dict[str, Callable[..., None]] = {
            "import": self._on_import,
            "exec": self._on_exec,
            "open": self._on_open,
            "pickle.find_class": self._on_unpickle,
            "spokeshave.stub": self._on_stub,
            "sys.setprofile": self._on_other_profiler,
            "subprocess.Popen": self._on_popen,
            "os.system": self._on_system,
            "os.exec": self._on_exec_file,
            "os.posix_spawn": self._on_posix_spawn,
        }

    def start(self) -> None:
        """Records this process and begins to listen."""
        self._scope.quietly(self._begin)
        os.register_at_fork(before=self._before_fork, after_in_child=self._after_fork)
        atexit.register(self._scope.quietly, self._calls.finish)
        sys.addaudithook(self._on_event)

    def _begin(self) -> None:
        self._journal.begin()
        self._calls.when_spawned(self._on_spawn)
        if self._listens:
            self._calls.listen()
        self._record_start("start")

    def _before_fork(self) -> None:
        self._scope.quietly(self._calls.finish)

    def _after_fork(self) -> None:
        self._scope.state.busy = False
        self._scope.quietly(self._record_start, "fork")

    def _record_start(self, how: str) -> None:
        """The parent and the time differ for processes that have one number after another."""
        version = ".".join(map(str, sys.version_info[:3]))
        ids = (str(os.getpid()), str(os.getppid()), str(time.time_ns()))
        self._journal.write("start", how, *ids, version)

    def _on_event(self, event: str, args: tuple[Any, ...]) -> None:
        if (action := self._events.get(event)) is not None:
            self._scope.quietly(action, *args)

    # Loading.

    def _on_import(self, name: str, file: str | None, *rest: object) -> None:
        """With a file, an ext module is loaded; without, a module is looked for and may not be there."""
        if file and self._scope.is_ours(name):
            self._calls.holdings.add(name)
            self._record_load(name, "ext")

    def _on_exec(self, code: object) -> None:
        """The body of a module runs: it was found and read."""
        if type(code) is CodeType and code.co_name == "<module>":
            self._learn_root(code.co_filename)
            inside = self._inside(code.co_filename)
            if inside.endswith(".py"):
                name = inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                self._record_load(name, "stub" if _is_stub(code) else "python")

    def _record_load(self, name: str, kind: str) -> None:
        frame = _importing(sys._getframe(1))
        if frame is None:
            self._journal.write("load", name, kind, "", "0", "program")
        else:
            line = str(frame.f_lineno)
            self._journal.write("load", name, kind, module_name(frame), line, self._moment(frame))

    def _on_open(self, path: object, mode: object, flags: int) -> None:
        if type(path) is str and not path.endswith(_CODE_SUFFIXES):
            inside = self._inside(os.path.normpath(path) if ".." in path else path)
            if inside and (flags & os.O_ACCMODE) != os.O_WRONLY:
                self._journal.write("data", inside)

    def _learn_root(self, file: str) -> None:
        folder, _, base = file.rpartition("/")
        name = folder.rpartition("/")[2]
        if base != "__init__.py" or name not in self._scope.packages or name in self._roots:
            return
        if getattr(sys.modules.get(name), "__file__", None) == file:
            self._roots[name] = folder
            self._journal.write("root", name, folder)

    def _inside(self, file: str) -> str:
        """The file's path from the folder that holds its package; nothing for one of no package."""
        for name, root in self._roots.items():
            if file.startswith(f"{root}/"):
                return name + file[len(root) :]
        return ""

    def _moment(self, frame: FrameType | None) -> str:
        """When an import runs: in the `program`, in a `call` of ours, or while one of ours is `loading`."""
        if not self._scope.is_ours(module_name(frame)):
            return "program"
        while frame is not None:
            if frame.f_code.co_name == "<module>" and self._scope.is_ours(module_name(frame)):
                return "loading"
            frame = frame.f_back
        return "call"

    # Using: what no call shows.

    def _on_unpickle(self, module: str, name: str) -> None:
        """An object that is read back uses its class, whoever reads it."""
        if self._scope.is_ours(module):
            self._calls.named(f"{module}.{name}", "pickle", "load")

    def _on_stub(self, message: str) -> None:
        """A stub's message was raised, in a recheck; an import that is guarded and meets one is no use.

        The frame that raises the event is of `overlay.py`'s module, which that of the stub has called.
        """
        if self._moment(_frame().f_back) != "loading":
            self._journal.write("touched", message)

    def _on_other_profiler(self, *rest: object) -> None:
        if self._listens:
            self._calls.other_profiler(_frame())

    # Other processes.

    def _on_popen(self, executable: Any, argv: Any, folder: object, env: Any) -> None:
        self._on_command(executable, argv, env)

    def _on_system(self, command: Any) -> None:
        self._on_command("/bin/sh", ["sh", "-c", command], None)

    def _on_spawn(self, frame: FrameType) -> None:
        """`multiprocessing` starts its processes without an audit event."""
        names = frame.f_locals
        self._on_command(names["path"], names["args"], None)

    def _on_exec_file(self, path: Any, argv: Any, env: Any) -> None:
        self._calls.finish()
        self._on_command(path, argv, env, way="exec")

    def _on_posix_spawn(self, path: Any, argv: Any, env: Any) -> None:
        if module_name(_frame()) != "subprocess":
            self._on_command(path, argv, env)

    def _on_command(
        self, executable: Any, argv: Any, env: Mapping[Any, Any] | None, way: str = "child"
    ) -> None:
        """A Python that will not find the recorder: no variables are read there, or not ours."""
        words = [os.fsdecode(word) for word in ([argv] if type(argv) in (str, bytes) else argv)]
        given = os.environ if env is None else env
        variables = {os.fsdecode(key): os.fsdecode(value) for key, value in given.items()}
        kind = kind_of(os.fsdecode(executable), words, variables, _INJECTED)
        if kind == "hidden":
            self._journal.write("hidden", shown(words))
        elif kind == "recorded":
            self._started += 1
            self._journal.write("began", way, str(os.getpid()), str(self._started), shown(words))


def _frame() -> FrameType:
    """The innermost frame of the program."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_HERE) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _importing(frame: FrameType | None) -> FrameType | None:
    """The frame that asked for an import: outside the import system and a package's lazy loader."""
    while frame is not None:
        code = frame.f_code
        outside = not code.co_filename.startswith(("<frozen importlib", _HERE))
        if outside and code.co_qualname != "__getattr__" and module_name(frame) != "importlib":
            return frame
        frame = frame.f_back
    return None


def _is_stub(code: CodeType) -> bool:
    """By its message, as `stub_message.py` writes it: trimming may have taken the stub's docstring."""
    inner = (one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == "_fault")
    consts = (value for part in (code, *inner) for value in part.co_consts)
    return any(isinstance(value, str) and _STUB in value for value in consts)


def start(settings: str) -> None:
    """Begins to record as a file says: lines of a key (those of `rows`), a tab, and a value."""
    rows: dict[str, list[str]] = {"output": [], "package": [], "watch": [], "calls": []}
    with open(settings, encoding="utf-8") as file:  # noqa: PTH123  (pathlib would be loaded into the program)
        for line in file:
            key, _, value = line.rstrip("\n").partition("\t")
            rows[key].append(value)
    calls = "no" not in rows["calls"]
    Recorder(rows["output"][0], rows["package"], rows["watch"], calls=calls).start()
