"""What the recorder sees of compiled code: a package with two modules that Cython and gcc have compiled."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spokeshave.trace.inject import Watch
from traced import Trace, used

FILES = {
    "beta/__init__.py": "from beta.api import Table\n",
    "beta/api.py": (
        "import beta._plain\nfrom beta import _plain as plain\nfrom beta._core import Tree, measure\n\n\n"
        "class Table(Tree):\n    def ask(self):\n        return self.query()\n\n\n"
        "METHODS = {'count': beta._plain.count, 'tree': Tree}\nDEFAULT = measure(1), Tree().query()\n\n\n"
        "def idle():\n    return DEFAULT\n\n\ndef by_name():\n    return measure(2)\n\n\n"
        "def by_chain():\n    return plain.count(2)\n\n\ndef by_table(name):\n    return METHODS[name]\n\n\n"
        "def inside():\n    from ._core import measure\n    return measure(2)\n\n\n"
        "def apply(function, *args):\n    return function(*args)\n"
    ),
}
SOURCES = {
    "_core": "cdef class Tree:\n    def query(self):\n        return 1\n\ndef measure(x):\n    return x\n",
    "_plain": "# cython: binding=False\ndef count(x):\n    return x\n",
}
WATCH = Watch(packages=("beta",), modules=("beta._core", "beta._plain"))


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules in C."""
    cython = Path(sys.executable).with_name("cython")
    if not cython.exists() or not shutil.which("gcc"):
        pytest.skip("needs Cython and gcc")
    folder = tmp_path_factory.mktemp("beta")
    for name, text in SOURCES.items():
        (folder / f"{name}.pyx").write_text(text)
        subprocess.run([cython, "-3", "--module-name", f"beta.{name}", f"{name}.pyx"], cwd=folder, check=True)
    return folder


@pytest.fixture
def beta(trace: Trace, tmp_path: Path, python: str, sources: Path) -> Trace:
    """Runs a script beside the package, whose modules are compiled for this Python."""
    ask = "import sysconfig as s; print(s.get_path('include'), s.get_config_var('EXT_SUFFIX'))"
    include, suffix = subprocess.check_output([python, "-c", ask], text=True).split()
    if not Path(include, "Python.h").exists():
        pytest.skip("needs the headers of Python")
    kept = sources / suffix
    for name in SOURCES if not kept.exists() else ():
        kept.mkdir(exist_ok=True)
        argv = ["gcc", "-shared", "-fPIC", "-O0", "-I", include, "-o", str(kept / f"{name}{suffix}")]
        subprocess.run([*argv, str(sources / f"{name}.c")], check=True, capture_output=True)
    site = tmp_path / "site"
    shutil.copytree(kept, site / "beta")
    for name, text in FILES.items():
        (site / name).write_text(text)
    return lambda script: trace(script, watch=WATCH)


NAMING = {
    "import": "from beta import Table",
    "as": "from beta.api import Table as T",
    "attribute": "import beta\nbeta.api.Table",
    "attribute of a name": "import beta.api as b\nb.measure",
    "getattr": "import beta\ngetattr(beta, 'Table')",
    "inside": "def f():\n    from beta import Table\nf()",
    "inside, attribute": "def f():\n    import beta.api as b\n    return b.Table\nf()",
    "closure": "def f():\n    import beta.api as b\n    return lambda: b.Table\nf()()",
    "server": "import os\ndef f():\n    from beta import Table\n    (lambda: 0)()\n    os._exit(0)\nf()",
    "subclass": "import beta.api\nT = type('T', (beta.api.METHODS['tree'],), {})",
    "subclass in a function": "import beta\ndef f(m):\n    class T(m.METHODS['tree']): pass\nf(beta.api)",
    "object": "import beta\ndef f(m):\n    t = m.by_table('tree')()\n    return 1\nf(beta.api)",
    "pickle": "import pickle\npickle.loads(b'cbeta.api\\nTable\\n.')",
    "pickle in Python": "import io, pickle\npickle._Unpickler(io.BytesIO(b'cbeta.api\\nTable\\n.')).load()",
}


@pytest.mark.parametrize("way", NAMING)
def test_name_in_the_program_is_a_use(beta: Trace, way: str) -> None:
    code, lines = beta(f"{NAMING[way]}\n")
    assert (code, lines.lost) == (0, ())
    assert "beta._core" in {module for module, _ in used(lines)}
    assert "beta._plain" not in {module for module, _ in used(lines)} - {"beta._core"}


@pytest.mark.parametrize("way", ["beta.api.by_name()", "beta.api.inside()", "beta.Table().ask()"])
def test_call_of_a_cython_callable_is_a_use(beta: Trace, way: str) -> None:
    _, lines = beta(f"import beta\n{way}\n")
    assert ("beta._core", "beta.api") in used(lines)


@pytest.mark.parametrize("way", ["by_chain()", "apply(beta._plain.count, 1)", "apply(map, len, [])"])
def test_call_of_a_builtin_is_a_use(beta: Trace, way: str) -> None:
    _, lines = beta(f"import beta\nbeta.api.{way}\n")
    assert (("beta._plain", "beta.api") in used(lines)) == ("map" not in way)


def test_call_by_value_is_visible_from_3_12_on(beta: Trace) -> None:
    """Nothing names the function that `apply` calls."""
    many = "for f in [len] * 40 + [m.by_table('tree')]:\n    m.apply(f, *([''] if f is len else []))\n"
    _, lines = beta(f"import beta.api as m\n{many}")
    assert (("beta._core", "beta.api") in used(lines)) or lines.pythons[0].startswith("3.11")


def test_table_counts_for_what_is_called_where_that_is_visible(beta: Trace) -> None:
    _, lines = beta("import beta\nbeta.api.by_table('count')(1)\n")
    assert ("beta._plain", "__main__") in used(lines)
    assert (("beta._core", "beta.api") in used(lines)) == lines.pythons[0].startswith("3.11")


@pytest.mark.parametrize("script", ["import beta", "import beta.api\nbeta.api.idle()"])
def test_what_is_called_while_loading_is_no_use(beta: Trace, script: str) -> None:
    code, lines = beta(f"{script}\n")
    assert (code, used(lines)) == (0, set())
    assert {load.module for load in lines.loads if load.kind == "ext"} == {"beta._core", "beta._plain"}


def test_program_code_never_runs_for_the_recorder(beta: Trace) -> None:
    """Values that would run code if their attributes, class or truth were asked for."""
    loud = "def __getattribute__(s, n):\n        ran.append(n)\n        return {}.__getattribute__(s, n)\n"
    script = (
        "import beta, types\nran = []\nclass Meta(type):\n"
        "    __mro__ = property(lambda s: ran.append('mro'))\n"
        "    __module__ = property(lambda s: ran.append('module'))\n"
        f"    __name__ = property(lambda s: ran.append('name'))\n    {loud.format('type')}"
        f"class Loud(metaclass=Meta):\n    {loud.format('object')}"
        "    def __eq__(s, o): ran.append('eq')\n    def __hash__(s): ran.append('hash')\n"
        "    def __bool__(s): ran.append('bool')\n    def __call__(s): return beta\n"
        f"class Module(types.ModuleType):\n    {loud.format('object')}"
        "module, loud = Module('beta.other'), object.__new__(Loud)\nran.clear()\n"
        "table = {'a': loud, 'b': Loud, 'c': module}\n"
        "def f(x, y, z):\n    beta.Table\n    return loud is x, module is y, table\n"
        "f(loud, module, Loud)\nloud()\nassert ran == [], ran\n"
    )
    assert beta(script)[0] == 0


def test_tool_that_takes_over_is_told(trace: Trace) -> None:
    newer = "if sys.version_info >= (3, 12): sys.monitoring.free_tool_id(4)\n"
    assert len(trace(f"import sys\n{newer}else: sys.setprofile(None)\n")[1].lost) == 1
