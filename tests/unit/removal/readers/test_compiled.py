"""The imports of Cython, C and C++ sources: what adds to the graph, and what must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from trees import Grow, grower, uses


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    return grower(tmp_path)


CYTHON = '''\
# cimport lib._core
"""
import lib._core
"""
from lib.signal cimport (wave,
                         other as o)
cimport lib.linalg._fast as fast, cython
from . cimport _near
from ._near{{suffix}} cimport x{{suffix}}
{{if deep}}
cdef int f(int a,
           int b) except -1:
    import lib
    x = lib.signal.wave("import lib._core")
    return 0
{{endif}}
cdef class C:
    from .. import app
s = "from lib import _core"
'''


@pytest.mark.parametrize("name", ["use.pyx", "use.pxd", "use.pyx.in", "use.pxd.in", "use.pyx.tp"])
def test_cython(grow: Grow, name: str) -> None:
    graph = grow({f"app/{name}": CYTHON, "app/_near.pxd": ""})
    assert uses(graph) == [
        (5, "lib.signal", "import"),
        (7, "lib.linalg._fast", "import"),
        (8, "app._near", "import"),
        (9, "app", "import"),
        (13, "lib", "deferred"),
        (14, "lib.signal", "deferred"),
    ]


def test_cython_imports_by_call(grow: Grow) -> None:
    text = 'x = import_optional_dependency("lib.signal")\ndef f():\n    import_module("lib._core")  # "lib"'
    assert uses(grow({"app/use.pyx": text})) == [(1, "lib.signal", "guarded"), (3, "lib._core", "deferred")]


def test_an_include_belongs_to_the_module_that_takes_it_in(grow: Grow) -> None:
    graph = grow({"app/use.pyx": 'include "part.pxi"\n', "app/part.pxi.in": "from lib cimport signal"})
    assert uses(graph) == [(1, "lib.signal", "import")]
    assert "app.part" not in graph.modules


def test_a_pxd_for_one_cython_only_is_no_module(grow: Grow) -> None:
    graph = grow({"app/__init__.cython-30.pxd": "cimport lib.signal"})
    assert uses(graph, "app") == [(1, "lib.signal", "import")]
    assert not any("cython-30" in module for module in graph.modules)


@pytest.mark.parametrize("name", ["src/a.c", "src/a.cpp", "src/a.h", "src/a.c.src"])
def test_native_sources(grow: Grow, name: str) -> None:
    text = """\
/* PyImport_ImportModule("lib") */
// py::module_::import("lib")
PyObject *m = PyImport_ImportModule("lib.signal");
npy_cache_import_runtime(
    "lib._core", "attr", &x);
IMPORT_GLOBAL("lib.linalg", "solve", x);
py::module_::import("lib.linalg._fast");
log("https://lib.signal");  import_array();
"""
    assert uses(grow({f"app/{name}": text}), "app") == [
        (3, "lib.signal", "deferred"),
        (4, "lib._core", "deferred"),
        (6, "lib.linalg", "deferred"),
        (7, "lib.linalg._fast", "deferred"),
    ]
