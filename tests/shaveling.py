"""The text of a small real C extension project, `shaveling`, and of the recipe and profile that shave it."""

from __future__ import annotations

import gzip
import io
import tarfile

PYPROJECT = """
[build-system]
requires = ["meson-python"]
build-backend = "mesonpy"

[project]
name = "shaveling"
version = "1.0"
description = "A small wheel to shave"
requires-python = ">=3.9"
"""
MESON = """
project('shaveling', 'c', version: '1.0')
py = import('python').find_installation(pure: false)
m = meson.get_compiler('c').find_library('m', required: false)
py.extension_module('_core', 'src/core.c', 'src/cold.c', dependencies: m, install: true, subdir: 'shaveling')
py.extension_module('_test_helper', 'src/helper.c', install: true, subdir: 'shaveling')
py.install_sources('shaveling/__init__.py', 'shaveling/_core.pyi', 'shaveling/py.typed', 'shaveling/api.h',
                   subdir: 'shaveling')
py.install_sources('shaveling/tests/__init__.py', 'shaveling/tests/test_core.py', subdir: 'shaveling/tests')
subdir('shaveling/extra')
# What the compile sees of networks goes into the wheel, where the tests read it.
custom_target('networks', output: 'networks.txt', command: ['ls', '/sys/class/net'], capture: true,
              install: true, install_dir: py.get_install_dir() / 'shaveling')
"""
CORE = r"""
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
extern int cold_is_small(void);
static PyObject *grow(PyObject *self, PyObject *x) { return PyFloat_FromDouble(exp(PyFloat_AsDouble(x))); }
static PyMethodDef methods[] = {{"grow", grow, METH_O, "exp(x)"}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", 0, -1, methods};
PyMODINIT_FUNC PyInit__core(void) {
    PyObject *made = PyModule_Create(&module);
    PyModule_AddIntConstant(made, "cold_is_small", cold_is_small());
    PyModule_AddStringConstant(made, "file", __FILE__);
#ifdef __OPTIMIZE_SIZE__
    PyModule_AddIntConstant(made, "core_is_small", 1);
#else
    PyModule_AddIntConstant(made, "core_is_small", 0);
#endif
    return made;
}
"""
COLD = """
#ifdef __OPTIMIZE_SIZE__
int cold_is_small(void) { return 1; }
#else
int cold_is_small(void) { return 0; }
#endif
"""
HELPER = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_test_helper", 0, -1, 0};
PyMODINIT_FUNC PyInit__test_helper(void) { return PyModule_Create(&module); }
"""
INIT = '''"""A long description of shaveling that a lean wheel does without."""

from shaveling._core import grow

answer = 41
'''
PATCH = """The answer is known: https://github.com/example/shaveling/issues/1

--- a/shaveling/__init__.py
+++ b/shaveling/__init__.py
@@ -2,4 +2,4 @@
{blank}
 from shaveling._core import grow
{blank}
-answer = 41
+answer = 42
""".replace("{blank}", " ")
TESTS = """
import pytest
import shaveling


def test_answer():
    assert shaveling.answer == 42


@pytest.mark.parametrize("x", [0.0])
def test_grow(x):
    assert shaveling.grow(x) == 1.0


def test_that_needs_its_own_module():
    import shaveling._test_helper


def test_that_needs_extra():
    from shaveling.extra import more
    assert more == 1
"""
EXTRA_MESON = """
py.install_sources('__init__.py', subdir: 'shaveling/extra')
py.install_sources('tests/test_extra.py', subdir: 'shaveling/extra/tests')
"""
EXTRA_TESTS = """
def test_more():
    from shaveling.extra import more
    assert more == 1
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "meson.build": MESON,
    "PKG-INFO": "Metadata-Version: 2.1\nName: shaveling\nVersion: 1.0\n",
    "src/core.c": CORE,
    "src/cold.c": COLD,
    "src/helper.c": HELPER,
    "vendored/LICENSE": "Do what you like with the vendored part.\n",
    "shaveling/__init__.py": INIT,
    "shaveling/_core.pyi": "def grow(x: float) -> float: ...\n",
    "shaveling/py.typed": "",
    "shaveling/api.h": "#define SHAVELING 1\n",
    "shaveling/extra/meson.build": EXTRA_MESON,
    "shaveling/extra/__init__.py": "more = 1\n",
    "shaveling/extra/tests/test_extra.py": EXTRA_TESTS,
    "shaveling/tests/__init__.py": "",
    "shaveling/tests/test_core.py": TESTS,
}
RECIPE = """
schema = 1
name = "shaveling"
distribution = "shaveling"
import-name = "shaveling"
summary = "A small wheel to shave"
license = "MIT"

[[versions]]
version = "1.0"
source = { pypi = "shaveling", sha256 = "SHA256" }
patches = ["0001-answer.patch"]
STOCK

[build]
backend = "meson-python"
requires = "build-requirements.txt"
upstream-level = "O3"
level = "O2"

[[build.levels]]
match = "*/src/cold.c"
level = "Os"
reason = "is called once, on import"

[[components]]
name = "extra"
summary = "what few need"
modules = ["shaveling.extra"]

[levers.test-modules]
match = ["shaveling/_test_helper.*.so"]

[[bundled]]
name = "Vendored"
version = "3"
license = "MIT"
license-file = "vendored/LICENSE"
source = "https://example.com/vendored"

[verify]
requires = "test-requirements.txt"
smoke = ["shaveling"]
present = ["shaveling/_core.*.so", "shaveling/networks.txt"]
absent = ["*/tests/*", "*.pyi", "*.h", "shaveling/_test_helper.*"]
"""
PROFILE = """
schema = 1
name = "tiny"
summary = "everything off that can be"

[[remove]]
component = "shaveling/extra"
reason = "nobody needs it here"

[levers]
tests = true
test-modules = true
typing = true
headers = true
docstrings = true
optimisation = true
unwind = true
sections = true
symbols = true

[budgets]
shaveling = BUDGET
"""


def sdist(changes: dict[str, str]) -> bytes:
    """The project as a source distribution: `changes` maps a file's name to another content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, text in sorted({**FILES, **changes}.items()):
            info = tarfile.TarInfo(f"shaveling-1.0/{name}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)
