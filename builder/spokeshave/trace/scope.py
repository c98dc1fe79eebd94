"""The modules that a recorder listens for, and the guard around all that it does inside a program.

Standard library only: `inject.py` copies it into the traced program's path.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any


class State(threading.local):
    """State of one thread: whether the recorder is at work, and how many modules of ours are loading."""

    busy = False
    loading = 0


class Scope:
    """`packages` are import names of the stack, `watched` the modules of its components."""

    def __init__(self, packages: Iterable[str], watched: Iterable[str]) -> None:
        self.packages = frozenset(packages)
        self.state = State()
        self._watched = frozenset(watched)
        self._known: dict[str, bool] = {}

    def is_ours(self, module: str) -> bool:
        """Whether a module, or a dotted name, is in one of the packages."""
        return module.partition(".")[0] in self.packages

    def is_watched(self, module: str) -> bool:
        """Whether a module is one of a component, or lies below one."""
        known = self._known.get(module)
        if known is None:
            name = module
            while name and name not in self._watched:
                name = name.rpartition(".")[0]
            known = self._known[module] = bool(name)
        return known

    def quietly(self, action: Callable[..., None], *args: Any) -> None:
        """Calls an action that must neither be recorded itself nor fail the program."""
        if self.state.busy:
            return
        self.state.busy = True
        try:
            action(*args)
        except Exception:  # noqa: S110  (a fault of the recorder must not reach the program)
            pass
        finally:
            self.state.busy = False


def module_name(frame: FrameType | None) -> str:
    """The module of a frame's code; code that was put together at run time belongs to its caller's."""
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if type(name) is str:
            return name
        frame = frame.f_back
    return ""
