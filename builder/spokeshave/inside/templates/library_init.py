"""A shared library for wheels of the scientific Python stack, built by spokeshave."""

from __future__ import annotations

import ctypes
import os

_HERE = os.path.dirname(os.path.abspath(__file__))
_handle: ctypes.CDLL | None = None


def get_lib_dir() -> str:
    """The folder that holds the shared library."""
    return os.path.join(_HERE, "lib")


def get_pkg_config_dir() -> str:
    """The folder to name in PKG_CONFIG_PATH to build against the library."""
    return os.path.join(_HERE, "lib", "pkgconfig")


def load() -> ctypes.CDLL:
    """Loads the library into the process, once; whoever needs its soname afterwards gets this copy."""
    global _handle
    if _handle is None:
        _handle = ctypes.CDLL(os.path.join(get_lib_dir(), "@SONAME@"))
    return _handle
