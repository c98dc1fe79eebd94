"""Records what a Python process loads and uses of some packages, into a file of that process.

Standard library only, Python 3.11 to 3.14: `inject.py` copies it beside a `sitecustomize.py`, so that it runs
in every Python process of the traced command, and it imports nothing else of ours. A line is a record: fields
between tabs, appended and closed at once, so that neither a crash nor a fork nor a program that closes all
its files loses one. It never raises: what it cannot do, it leaves.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

# Taken now, since a test suite may put something else in their places.
_open, _write, _close, _getpid = os.open, os.write, os.close, os.getpid
_FUNCTION = 0x1  # inspect.CO_OPTIMIZED: the code of a function, not of a module or class
_CODE_SUFFIXES = (".py", ".pyc", ".so")
_CYTHON_FUNCTIONS = frozenset({"cython_function_or_method", "fused_cython_function"})
_STUB = " is not in this wheel of "
_REMEMBERED = 200_000  # code objects
_TOOL_IDS = (4, 3)  # of sys.monitoring: those that no kind of tool is asked to take


class _State(threading.local):
    """Of one thread: whether we are at work in it, and how many modules of ours are loading in it."""

    busy = False
    loading = 0


class Recorder:
    """What one process has told so far; `packages` are import names, `watched` modules of components."""

    def __init__(self, output: str, packages: Iterable[str], watched: Iterable[str]) -> None:
        self._output = output
        self._packages = frozenset(packages)
        self._watched = frozenset(watched)
        self._told: set[tuple[object, ...]] = set()
        self._roots: dict[str, str] = {}
        self._done: dict[int, CodeType] = {}  # by id, which stays theirs as long as they are held here
        self._state = _State()
        self._disable: Any = None  # what a callback of sys.monitoring answers, to hear of this code no more

    def start(self) -> None:
        """Tells of this process and begins to listen."""
        self._quietly(self._tell_start)
        os.register_at_fork(after_in_child=self._after_fork)
        self._quietly(self._listen_to_calls)
        sys.addaudithook(self._on_event)

    def _after_fork(self) -> None:
        self._state.busy = False
        self._quietly(self._tell_start)

    def _tell_start(self) -> None:
        self._tell("start", str(_getpid()), ".".join(map(str, sys.version_info[:3])))

    def _quietly(self, action: Callable[..., None], *args: Any) -> None:
        """Calls what may not be heard itself, and may not fail the program."""
        if self._state.busy:
            return
        self._state.busy = True
        try:
            action(*args)
        except Exception:  # noqa: S110  (nothing of ours may break the program)
            pass
        finally:
            self._state.busy = False

    def _tell(self, *fields: str) -> None:
        if fields in self._told:
            return
        self._told.add(fields)
        line = "\t".join(field.replace("\t", " ").replace("\n", " ") for field in fields)
        path = f"{self._output}/{_getpid()}.tsv"
        handle = _open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _write(handle, f"{line}\n".encode("utf-8", "backslashreplace"))
        finally:
            _close(handle)

    # Loading: audit events.

    def _on_event(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "import":
            self._quietly(self._on_import, args[0], args[1])
        elif event == "exec":
            self._quietly(self._on_exec, args[0])
        elif event == "open":
            self._quietly(self._on_open, args[0], args[2])
        elif event == "sys.setprofile":
            self._quietly(self._on_other_profiler)
        elif event == "subprocess.Popen":
            self._quietly(self._on_start_of_process, args[1], args[3])
        elif event in ("os.exec", "os.posix_spawn"):
            self._quietly(self._on_start_of_process, args[1], args[2])

    def _on_import(self, name: str, file: str | None) -> None:
        """With a file, an ext module is loaded; without, a module is looked for and may not be there."""
        if file and self._is_ours(name):
            self._tell_load(name, "ext")

    def _on_exec(self, code: object) -> None:
        """The body of a module runs: it was found and read."""
        if isinstance(code, CodeType) and code.co_name == "<module>":
            self._learn_root(code.co_filename)
            inside = self._inside(code.co_filename)
            if inside.endswith(".py"):
                name = inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                self._tell_load(name, "stub" if _is_stub(code) else "python")

    def _tell_load(self, name: str, kind: str) -> None:
        frame = _importing(sys._getframe(3))
        if frame is None:
            self._tell("load", name, kind, "", "0", "program")
        else:
            line = str(frame.f_lineno)
            self._tell("load", name, kind, _module_name(frame), line, self._moment(frame))

    def _on_open(self, path: object, flags: int) -> None:
        if isinstance(path, str) and not path.endswith(_CODE_SUFFIXES):
            inside = self._inside(os.path.normpath(path) if ".." in path else path)
            if inside and (flags & os.O_ACCMODE) != os.O_WRONLY:
                self._tell("data", inside)

    def _on_start_of_process(self, argv: Any, env: Any) -> None:
        """A Python that will not find the recorder: no variables are read there, or not ours."""
        words = [os.fsdecode(word) for word in ([argv] if isinstance(argv, str | bytes) else argv)]
        if not os.path.basename(words[0]).startswith("python"):  # noqa: PTH119
            return
        given = os.environ if env is None else env
        inherited = {os.fsdecode(key): os.fsdecode(value) for key, value in given.items()}
        folder = os.path.dirname(__file__)  # noqa: PTH120
        if _isolated(words[1:]) or folder not in inherited.get("PYTHONPATH", "").split(os.pathsep):
            self._tell("hidden", " ".join(["python", *words[1:3]])[:60])

    def _learn_root(self, file: str) -> None:
        folder, _, base = file.rpartition("/")
        name = folder.rpartition("/")[2]
        if base != "__init__.py" or name not in self._packages or name in self._roots:
            return
        if getattr(sys.modules.get(name), "__file__", None) == file:
            self._roots[name] = folder
            self._tell("root", name, folder)

    def _inside(self, file: str) -> str:
        """The file's path from the folder that holds its package; nothing for one of no package."""
        for name, root in self._roots.items():
            if file.startswith(f"{root}/"):
                return name + file[len(root) :]
        return ""

    def _is_ours(self, module: str) -> bool:
        return module.partition(".")[0] in self._packages

    def _moment(self, frame: FrameType | None) -> str:
        """When an import runs: in the `program`, in a `call` of ours, or while one of ours is `loading`."""
        if not self._is_ours(_module_name(frame)):
            return "program"
        while frame is not None:
            if frame.f_code.co_name == "<module>" and self._is_ours(_module_name(frame)):
                return "loading"
            frame = frame.f_back
        return "call"

    # Using: the first call of each function. A module that is loaded with its package tells nothing yet.

    def _listen_to_calls(self) -> None:
        if sys.version_info < (3, 12):
            sys.setprofile(self._on_profile)
            threading.setprofile(self._on_profile)
            return
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        free = [number for number in _TOOL_IDS if monitoring.get_tool(number) is None]
        if not free:
            self._tell("lost", "no free place in sys.monitoring")
            return
        self._disable, events = monitoring.DISABLE, monitoring.events
        monitoring.use_tool_id(free[0], "spokeshave trace")
        monitoring.register_callback(free[0], events.PY_START, self._on_start)
        monitoring.register_callback(free[0], events.PY_RETURN, self._on_return)
        monitoring.register_callback(free[0], events.PY_UNWIND, self._on_unwind)
        monitoring.set_events(free[0], events.PY_START | events.PY_RETURN | events.PY_UNWIND)

    def _on_other_profiler(self) -> None:
        """A new thread that takes ours is none, and sys.monitoring knows of none."""
        if sys.version_info >= (3, 12):
            return
        if _module_name(sys._getframe(3)) != "threading" or threading.getprofile() != self._on_profile:
            self._tell("lost", "another profiler took over")

    def _on_profile(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            if id(frame.f_code) not in self._done:
                self._quietly(self._look, frame)
        elif event == "return" and frame.f_code.co_name == "<module>":
            self._quietly(self._leave_module, frame)

    def _on_start(self, code: CodeType, offset: int) -> Any:
        self._quietly(self._look, sys._getframe(1))
        return self._disable if id(code) in self._done else None

    def _on_return(self, code: CodeType, offset: int, value: object) -> Any:
        if code.co_name == "<module>":
            self._quietly(self._leave_module, sys._getframe(1))
        return self._disable

    def _on_unwind(self, code: CodeType, offset: int, fault: BaseException) -> None:
        if code.co_name == "<module>":
            self._quietly(self._leave_module, sys._getframe(1))

    def _look(self, frame: FrameType) -> None:
        """What a function uses of watched modules; one of ours that runs while loading is looked at again."""
        code, module = frame.f_code, _module_name(frame)
        if self._is_ours(module):
            if code.co_name == "<module>":
                self._state.loading += 1
                return
            if self._state.loading:
                return
            self._tell_ran(module, code.co_qualname)
        else:
            self._tell_mentions(code, module)
        if len(self._done) < _REMEMBERED:
            self._done[id(code)] = code
        if code.co_flags & _FUNCTION:
            self._tell_named(code.co_names, frame)

    def _leave_module(self, frame: FrameType) -> None:
        if self._is_ours(_module_name(frame)):
            self._state.loading -= 1
        else:  # what a module of the program has got by the time that it is loaded
            self._tell_named(tuple(frame.f_globals), frame)

    def _tell_ran(self, module: str, function: str) -> None:
        if ("ran", module) not in self._told and self._is_watched(module):
            self._told.add(("ran", module))
            self._tell("ran", module, function)

    def _tell_named(self, names: Iterable[str], frame: FrameType) -> None:
        user = _module_name(frame)
        for name in names:
            module = _origin(frame.f_globals.get(name))
            if module and ("named", module, user) not in self._told and self._is_watched(module):
                self._told.add(("named", module, user))
                self._tell("named", module, user, frame.f_code.co_qualname)

    def _tell_mentions(self, code: CodeType, user: str) -> None:
        """The imports that stand in code of the program: of what is loaded already, no event tells."""
        if any(self._is_ours(name) for name in code.co_names):
            for name in _mentioned(code):
                if self._is_ours(name):
                    self._tell("mention", name, user)

    def _is_watched(self, module: str) -> bool:
        while module:
            if module in self._watched:
                return True
            module = module.rpartition(".")[0]
        return False


def _module_name(frame: FrameType | None) -> str:
    """The module of a frame's code; code that was put together at run time is its caller's."""
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if isinstance(name, str):
            return name
        frame = frame.f_back
    return ""


def _importing(frame: FrameType | None) -> FrameType | None:
    """The frame that asked for an import: outside the import system and a package's lazy loader."""
    while frame is not None:
        code = frame.f_code
        outside = not code.co_filename.startswith("<frozen importlib") and code.co_filename != __file__
        if outside and code.co_qualname != "__getattr__" and _module_name(frame) != "importlib":
            return frame
        frame = frame.f_back
    return None


def _isolated(options: Iterable[str]) -> bool:
    """Whether options of Python before the script have it pass over PYTHONPATH or `sitecustomize`."""
    for option in options:
        if not option.startswith("-") or option.startswith(("--", "-c", "-m")):
            return False
        if not option.startswith(("-W", "-X")) and set(option) & set("IES"):
            return True
    return False


def _is_stub(code: CodeType) -> bool:
    """By its message, as `components.py` writes it: trimming may have taken the stub's docstring."""
    inner = (one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == "_fault")
    consts = (value for part in (code, *inner) for value in part.co_consts)
    return any(isinstance(value, str) and _STUB in value for value in consts)


def _origin(value: object) -> str:
    """The module that a module, class or function is or comes from; nothing for other values.

    Their attributes alone are read: those of any object might run the program's code.
    """
    if isinstance(value, ModuleType):
        name = ModuleType.__getattribute__(value, "__dict__").get("__name__")
    elif isinstance(value, type):
        name = type.__getattribute__(value, "__module__")
    elif isinstance(value, FunctionType | BuiltinFunctionType) or type(value).__name__ in _CYTHON_FUNCTIONS:
        name = getattr(value, "__module__", None)
    else:
        return ""
    return name if isinstance(name, str) else ""


def _mentioned(code: CodeType) -> Iterator[str]:
    import dis  # noqa: PLC0415  (most programs start many processes that never need it)

    base = ""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            base = str(step.argval)
            yield base
        elif step.opname == "IMPORT_FROM":
            yield f"{base}.{step.argval}"


def start(settings: str) -> None:
    """Begins to record as a file says: lines of `output`, `package` or `watch`, a tab, and a value."""
    rows: dict[str, list[str]] = {"output": [], "package": [], "watch": []}
    with open(settings, encoding="utf-8") as file:  # noqa: PTH123  (pathlib would be loaded into the program)
        for line in file:
            key, _, value = line.rstrip("\n").partition("\t")
            rows[key].append(value)
    Recorder(rows["output"][0], rows["package"], rows["watch"]).start()
