"""What a process uses of the packages, from its calls and from the names that its code has.

Standard library only: `inject.py` copies it into the traced program's path. What is visible:

| | Python 3.11 (`sys.setprofile`) | 3.12 and newer (`sys.monitoring`) |
|---|---|---|
| Python functions | every call | every call |
| functions of C, pybind11, f2py | builtins of Python's own kind | every call from Python code |
| Cython functions, compiled classes | by name alone | every call from Python code |
| callables in tables of a module | by name of the table, if classes or Cython functions | every call |
| a line that calls by value | its first thousand calls | its first thousand calls |
| calls from compiled code | not | not |
| names that code has | globals, closure, locals, dotted names | the same |

While a module of the packages is loaded, nothing counts as use. A class that is used uses its bases. Code of
the program uses an object by naming it: at once where it is there, else when it is loaded.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable, Iterable
from types import CodeType, FrameType, FunctionType
from typing import Any

from .chains import chains, find, members, roots
from .journal import Journal
from .origins import Holdings, called, held, origins
from .scope import Scope, module_name

SEES_CALLS = sys.version_info >= (3, 12)
_FUNCTION = 0x1  # inspect.CO_OPTIMIZED: the code of a function, not of a module or class
_REMEMBERED = 200_000  # code objects
_TIMES, _MOST = 16, 1000  # calls that are looked at: from a line that names its function; from others
_TOOL = "spokeshave trace"
_TOOL_IDS = (4, 3)  # of sys.monitoring: those that no kind of tool is asked to take


class Calls:
    """Listens to the calls of all threads."""

    def __init__(self, scope: Scope, journal: Journal) -> None:
        self.holdings = Holdings()
        self._scope, self._journal = scope, journal
        self._done: dict[int, CodeType] = {}  # by id, which is theirs as long as they are held here
        self._left: set[int] = set()  # of these: those that have returned once
        self._offsets: dict[int, tuple[CodeType, dict[int, int]]] = {}
        self._spent: set[tuple[int, int]] = set()  # lines of 3.11 that are not recorded any more
        self._waiting: dict[str, tuple[str, str]] = {}  # dotted names that are not there yet
        self._loaded = 0  # modules at the last look for these
        self._disable: Any = None  # what a callback returns to get no more events of a line
        self._tool = -1
        self._spawned: Callable[[FrameType], None] | None = None

    def when_spawned(self, action: Callable[[FrameType], None]) -> None:
        """Sets the action for a process that `multiprocessing` starts, which causes no audit event."""
        self._spawned = action

    def listen(self) -> None:
        """Begins."""
        if not SEES_CALLS:
            sys.setprofile(self._on_profile)
            threading.setprofile(self._on_profile)
            return
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        free = [number for number in _TOOL_IDS if monitoring.get_tool(number) is None]
        if not free:
            self._journal.write("lost", "no free tool id in sys.monitoring")
            return
        self._tool, self._disable, events = free[0], monitoring.DISABLE, monitoring.events
        monitoring.use_tool_id(self._tool, _TOOL)
        callbacks = {
            events.PY_START: self._on_start,
            events.PY_RETURN: self._on_return,
            events.PY_UNWIND: self._on_unwind,
            events.CALL: self._on_call,
        }
        for event, callback in callbacks.items():
            monitoring.register_callback(self._tool, event, callback)
        monitoring.set_events(self._tool, sum(callbacks))

    def finish(self) -> None:
        """Looks for the names that were not there before; says so if another tool took our id."""
        self._look_for_waiting(loaded=True)
        if self._tool >= 0:
            monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
            if monitoring.get_tool(self._tool) != _TOOL or not monitoring.get_events(self._tool):
                self._journal.write("lost", "another tool took over sys.monitoring")

    def other_profiler(self, frame: FrameType) -> None:
        """`sys.setprofile` was called: a new thread that takes ours is no other; 3.12 has no need of it."""
        ours = module_name(frame) == "threading" and threading.getprofile() == self._on_profile
        if not SEES_CALLS and not ours:
            self._journal.write("lost", "another profiler took over")

    def named(self, dotted: str, user: str, function: str) -> None:
        """A name counts as used: now, or as soon as it is there."""
        if (value := find(dotted)) is None:
            self._waiting.setdefault(dotted, (user, function))
        elif self._journal.is_new("dotted", dotted, user):
            self._record_named(origins(value, bases=True), user, function)

    # Events.

    def _on_profile(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            if id(frame.f_code) not in self._done:
                self._scope.quietly(self._look, frame)
        elif event == "c_call":
            if (id(frame.f_code), frame.f_lasti) in self._spent or self._scope.state.loading:
                return
            if self._is_heard(frame, frame.f_lasti, argument):
                self._scope.quietly(self._record_called, argument, frame)
        elif event == "return" and id(frame.f_code) not in self._left:
            if frame.f_code.co_name == "<module>":
                self._scope.quietly(self._leave_module, frame)
            elif not self._scope.state.loading:
                self._scope.quietly(self._leave, frame)

    def _on_start(self, code: CodeType, offset: int) -> Any:
        self._scope.quietly(self._look, sys._getframe(1))
        return self._disable if id(code) in self._done else None

    def _on_call(self, code: CodeType, offset: int, function: object, first: object) -> Any:
        if self._scope.state.loading or self._scope.state.busy:
            return None
        frame = sys._getframe(1)
        if not self._is_heard(frame, offset, function):
            return self._disable
        if type(function) is not FunctionType:
            self._scope.quietly(self._record_called, function, frame)
        return None

    def _on_return(self, code: CodeType, offset: int, value: object) -> Any:
        if code.co_name == "<module>":
            self._scope.quietly(self._leave_module, sys._getframe(1))
        elif id(code) not in self._left:
            if self._scope.state.loading:
                return None
            self._scope.quietly(self._leave, sys._getframe(1))
        return self._disable

    def _on_unwind(self, code: CodeType, offset: int, fault: BaseException) -> None:
        if code.co_name == "<module>":
            self._scope.quietly(self._leave_module, sys._getframe(1))
        elif id(code) not in self._left and not self._scope.state.loading:
            self._scope.quietly(self._leave, sys._getframe(1))

    # What they show.

    def _look(self, frame: FrameType) -> None:
        """What code uses by running at all; code of ours that runs while loading is looked at again."""
        code, module = frame.f_code, module_name(frame)
        ours = self._scope.is_ours(module)
        if ours:
            if code.co_name == "<module>":
                self._scope.state.loading += 1
                return
            if self._scope.state.loading:
                return
            self._record_ran(frame, module)
        elif self._spawned and code.co_name == "spawnv_passfds" and module == "multiprocessing.util":
            self._spawned(frame)
            return
        if len(self._done) < _REMEMBERED:
            self._done[id(code)] = code
        if code.co_flags & _FUNCTION:
            self._record_globals(code.co_names, frame, bases=not ours)
        if ours:
            self._record_members(frame, module)
        else:
            self._record_program(frame, module)
        self._look_for_waiting()

    def _leave(self, frame: FrameType) -> None:
        """What the variables of a function held when it returned for the first time."""
        code = frame.f_code
        if id(code) not in self._done:
            return
        self._left.add(id(code))
        user = module_name(frame)
        for value in list(frame.f_locals.values()) if code.co_flags & _FUNCTION else ():
            found = list(origins(value, bases=True)) or origins(type(value), bases=True)
            self._record_named(found, user, code.co_qualname)
        self._look_for_waiting()

    def _leave_module(self, frame: FrameType) -> None:
        if self._scope.is_ours(module_name(frame)):
            self._scope.state.loading -= 1
            self._loaded = 0
        else:  # what a module of the program has got by the time that it is loaded
            self._record_globals(tuple(frame.f_globals), frame, bases=True)
            self._look_for_waiting(loaded=True)

    def _is_heard(self, frame: FrameType, offset: int, function: object) -> bool:
        """Whether an offset in code has made few calls until now; a global's name lowers the limit."""
        code = frame.f_code
        offsets = self._offsets.get(id(code))
        if offsets is None:
            if len(self._offsets) >= _REMEMBERED:
                return True
            offsets = self._offsets[id(code)] = (code, {})
        times = offsets[1].get(offset, 0) + 1
        if times == _TIMES and any(_is_global(name, frame, function) for name in code.co_names):
            times = _MOST
        offsets[1][offset] = times
        if times >= _MOST and not SEES_CALLS:
            self._spent.add((id(code), offset))
        return times < _MOST

    def _record_called(self, function: object, frame: FrameType) -> None:
        if function is _thread.start_new_thread and not SEES_CALLS and module_name(frame) != "threading":
            self._journal.write("lost", "a thread was started without the module threading")
        modules = [*called(function), self.holdings.module_of(function)]
        if any(map(self._scope.is_watched, modules)):
            self._record_named(modules, module_name(frame), frame.f_code.co_qualname)

    def _record_ran(self, frame: FrameType, module: str) -> None:
        """The module of a function, and the bases of its class."""
        function = frame.f_code.co_qualname
        if self._scope.is_watched(module) and self._journal.is_new("ran", module):
            self._journal.write("ran", module, function)
        owner = frame.f_globals.get(function.partition(".")[0]) if "." in function else None
        if owner is not None and issubclass(type(owner), type):
            self._record_named(origins(owner, bases=True), module, function)

    def _record_globals(self, names: Iterable[str], frame: FrameType, *, bases: bool) -> None:
        user, function = module_name(frame), frame.f_code.co_qualname
        for name in names:
            value = frame.f_globals.get(name)
            if value is not None:
                self._record_named(self._from(value, bases=bases), user, function)

    def _from(self, value: object, *, bases: bool) -> list[str]:
        found = [*origins(value, bases=bases), *([] if SEES_CALLS else held(value))]
        return found or [self.holdings.module_of(value)]

    def _record_named(self, modules: Iterable[str], user: str, function: str) -> None:
        for module in modules:
            watched = module != user and self._scope.is_watched(module)
            if watched and self._journal.is_new("named", module, user):
                self._journal.write("named", module, user, function)

    def _record_members(self, frame: FrameType, user: str) -> None:
        """Dotted names in code of ours; instructions are read only where they can show something new."""
        code, look_up = frame.f_code, _lookup(frame)
        new = (
            module
            for value in members(code, roots(code, look_up, self._scope.packages))
            for module in self._from(value, bases=False)
            if module != user and self._scope.is_watched(module)
            if not self._journal.has_written("named", module, user)
        )
        if any(new):
            for dotted in chains(code, look_up, _package(frame))[0]:
                self._record_named(self._from(find(dotted), bases=False), user, code.co_qualname)

    def _record_program(self, frame: FrameType, user: str) -> None:
        """Imports and dotted names in code of the program: no event shows those of loaded modules."""
        code, look_up = frame.f_code, _lookup(frame)
        if not roots(code, look_up, self._scope.packages):
            return
        spelt, imported = chains(code, look_up, _package(frame))
        for name in sorted(filter(self._scope.is_ours, imported)):
            self._journal.write("mention", name, user)
        for name in sorted(filter(self._scope.is_ours, spelt | imported)):
            self.named(name, user, code.co_qualname)

    def _look_for_waiting(self, *, loaded: bool = False) -> None:
        """Names may be there now that modules are loaded."""
        if loaded or len(sys.modules) != self._loaded:
            self._loaded = len(sys.modules)
            self._name_those_there()

    def _name_those_there(self) -> None:
        for dotted in [name for name in self._waiting if find(name) is not None]:
            self.named(dotted, *self._waiting.pop(dotted))


def _lookup(frame: FrameType) -> Any:
    """Looks a name up as the code of a frame does: in its closure, then in its globals."""
    names, free = frame.f_globals, frame.f_code.co_freevars
    closure = {name: value for name, value in frame.f_locals.items() if name in free} if free else {}
    return lambda name: closure.get(name, names.get(name))


def _is_global(name: str, frame: FrameType, function: object) -> bool:
    return frame.f_globals.get(name, frame.f_builtins.get(name)) is function


def _package(frame: FrameType) -> str:
    name = frame.f_globals.get("__package__")
    return name if type(name) is str else ""
