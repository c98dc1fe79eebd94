"""Bytes of bytecode that pip writes next to a module when it installs a wheel: compiled, not estimated."""

from __future__ import annotations

import marshal
import sys
import warnings

# The path is part of the bytecode, once a module; this is where CPython's own container images install.
_SITE = "/usr/local/lib/python{version}/site-packages/"
_HEADER_BYTES = 16  # magic number, flags, and source time and size: PEP 552


def can_compile_for(python: str) -> bool:
    """Whether this interpreter writes the bytecode of a target's Python, for example `cp311`."""
    ours = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return sys.implementation.name == "cpython" and python == ours


def compiled_bytes(source: bytes, name: str) -> int:
    """The size of the .pyc file of a module, with its header.

    `name` is the module's file name inside the wheel. A file that is no valid Python (a template) gets
    no bytecode from pip either, and counts 0.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    path = _SITE.format(version=version) + name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # upstream's invalid escapes are not our user's business
        try:
            code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError, RecursionError):
            return 0
    return _HEADER_BYTES + len(marshal.dumps(code))
