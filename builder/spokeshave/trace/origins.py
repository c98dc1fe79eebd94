"""The modules that values come from; no code of the program runs.

Standard library only: `inject.py` copies it into the traced program's path. Attributes are read of modules,
classes and functions alone, past what their metaclass may define: those of any object might run its code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

_MRO: Any = type.__dict__["__mro__"].__get__
_MODULE: Any = type.__dict__["__module__"].__get__
_NAME: Any = type.__dict__["__name__"].__get__
_NAMESPACE: Any = ModuleType.__getattribute__
_CYTHON_FUNCTIONS = frozenset({"cython_function_or_method", "fused_cython_function"})
_OF_CLASSES = (MethodDescriptorType, WrapperDescriptorType)
_CONTAINERS = (dict, list, tuple, set, frozenset)
_LARGEST = 1000  # entries of a table that are looked at


def origins(value: object, *, bases: bool) -> Iterator[str]:
    """The modules that a module, class or function comes from, with the `bases` of a class if asked for."""
    kind = type(value)
    if issubclass(kind, ModuleType):
        name = namespace(value).get("__name__")
    elif issubclass(kind, type):
        yield from (_module(base) for base in (_MRO(value) if bases else [value]))
        return
    elif kind is FunctionType or kind is BuiltinFunctionType or _NAME(kind) in _CYTHON_FUNCTIONS:
        name = getattr(value, "__module__", None)
    elif kind is MethodType:
        yield from origins(value.__func__, bases=bases)  # type: ignore[attr-defined]
        return
    elif kind is partial:
        yield from origins(value.func, bases=bases)  # type: ignore[attr-defined]
        return
    else:
        return
    if type(name) is str:
        yield name


def called(value: object) -> Iterator[str]:
    """The modules that a callable in its call comes from: its own, those of its class and of its bases."""
    kind = type(value)
    if kind is partial:
        yield from called(value.func)  # type: ignore[attr-defined]
    elif kind in _OF_CLASSES:
        yield from origins(value.__objclass__, bases=True)  # type: ignore[attr-defined]
    elif kind is BuiltinFunctionType or kind is MethodWrapperType:
        yield from origins(value, bases=True)
        yield from _of_owner(value.__self__)  # type: ignore[attr-defined]
    elif kind is MethodType:
        yield from called(value.__func__)  # type: ignore[attr-defined]
        yield from _of_owner(value.__self__)  # type: ignore[attr-defined]
    else:
        yield from origins(value, bases=True)
        yield from origins(kind, bases=True)


def _of_owner(owner: object) -> Iterator[str]:
    kind = type(owner)
    if issubclass(kind, ModuleType | type):
        yield from origins(owner, bases=True)
    else:
        yield from origins(kind, bases=True)


def held(table: object) -> Iterator[str]:
    """The modules of classes and functions that a table of a module holds, but for builtins."""
    if type(table) not in _CONTAINERS or len(table) > _LARGEST:  # type: ignore[arg-type]
        return
    for value in list(table.values() if type(table) is dict else table):  # type: ignore[call-overload]
        if type(value) is not BuiltinFunctionType and not issubclass(type(value), ModuleType):
            yield from origins(value, bases=True)


def _module(value: Any) -> str:
    name = _MODULE(value)
    return name if type(name) is str else ""


def namespace(module: object) -> dict[str, Any]:
    """The names of a module, without its `__getattr__`."""
    found = _NAMESPACE(module, "__dict__")
    return found if type(found) is dict else {}


class Holdings:
    """Callables that do not know where they are from, as those of f2py, by the module that has them."""

    def __init__(self) -> None:
        self._new: list[str] = []
        self._known: dict[int, tuple[object, str]] = {}  # by id, which is theirs as long as they are held

    def add(self, module: str) -> None:
        """Takes note of an ext module that is about to be loaded."""
        self._new.append(module)

    def module_of(self, value: object) -> str:
        """The ext module that has this object under a name; nothing for other objects."""
        for name in [one for one in self._new if one in sys.modules]:
            self._new.remove(name)
            module = sys.modules[name]
            if issubclass(type(module), ModuleType):
                for one in list(namespace(module).values()):
                    if callable(one) and not any(origins(one, bases=False)):
                        self._known.setdefault(id(one), (one, name))
        return self._known.get(id(value), (None, ""))[1]
