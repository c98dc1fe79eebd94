"""The imports that C and C++ sources make through the Python API or pybind11."""

from __future__ import annotations

import re

from spokeshave.removal.readers.reader import Reference, Unit

_COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
# By any name: PyImport_ImportModule, npy_cache_import_runtime, IMPORT_GLOBAL, module_::import,
# PyCapsule_Import (whose last part is an attribute).
_IMPORT = re.compile(r'\b\w*import\w*\s*\(\s*"(?P<name>[a-z_][\w.]*)"', re.IGNORECASE)


def native_references(unit: Unit) -> list[Reference]:
    """Every call with `import` in its name and a literal module: when it runs nobody knows, so deferred."""
    if "mport" not in unit.text and "MPORT" not in unit.text:
        return []
    text = _COMMENT_OR_STRING.sub(_without_comment, unit.text)
    return [
        Reference(name=found["name"], line=text.count("\n", 0, found.start()) + 1, kind="deferred")
        for found in _IMPORT.finditer(text)
    ]


def _without_comment(found: re.Match[str]) -> str:
    text = found[0]
    return text if text.startswith('"') else "\n" * text.count("\n")
