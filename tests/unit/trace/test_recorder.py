"""The recorder in real processes, on a small package of two modules with a data file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spokeshave.errors import NothingRecorded, TraceError
from spokeshave.inside.levers.docstrings import blank
from spokeshave.inside.levers.indentation import shrink_indentation
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import Removed
from spokeshave.inside.stubs import remove
from spokeshave.trace.inject import prepare, run_recorded
from spokeshave.trace.record import Load, Mention, Use
from support import shipped_plan
from traced import WATCH, Trace, loaded


def test_a_load_has_its_importer_line_and_moment(trace: Trace) -> None:
    code, lines = trace("import alpha.user\nalpha.user.go()\n")
    assert (code, lines.processes) == (0, 1)
    assert set(lines.loads) == {
        Load(module="alpha", kind="python", importer="__main__", line=1, moment="program"),
        Load(module="alpha.eager", kind="python", importer="alpha", line=1, moment="loading"),
        Load(module="alpha.user", kind="python", importer="__main__", line=1, moment="program"),
        Load(module="alpha.late", kind="python", importer="alpha.user", line=5, moment="call"),
    }
    assert [name for name, _ in lines.roots] == ["alpha"]


def test_what_runs_while_a_module_loads_is_no_use(trace: Trace) -> None:
    _, lines = trace("import alpha\n")
    assert lines.uses == ()


def test_a_call_of_the_program_is_a_use_and_so_are_names(trace: Trace) -> None:
    _, lines = trace("from alpha.user import go\ngo()\n")
    assert Use(module="alpha.eager", user="alpha.eager", function="work") in lines.uses
    assert Use(module="alpha.eager", user="alpha.user", function="go") in lines.uses


def test_what_a_module_of_the_program_holds_is_told(trace: Trace) -> None:
    _, lines = trace("import alpha\nfrom alpha.eager import work\n")
    assert Use(module="alpha.eager", user="__main__", function="<module>") in lines.uses
    assert Mention(name="alpha.eager.work", user="__main__") in lines.mentions


def test_an_import_of_what_is_loaded_already_is_told(trace: Trace) -> None:
    _, lines = trace("import alpha\ndef f():\n    from alpha import eager\nf()\n")
    assert Mention(name="alpha.eager", user="__main__") in lines.mentions


def test_a_lazy_loader_is_not_who_asked(trace: Trace, tmp_path: Path) -> None:
    lazy = "import importlib\ndef __getattr__(name):\n    return importlib.import_module(f'alpha.{name}')\n"
    (tmp_path / "site" / "alpha" / "__init__.py").write_text(lazy)
    _, lines = trace("import alpha\nalpha.late\n")
    late = Load(module="alpha.late", kind="python", importer="__main__", line=2, moment="program")
    assert late in lines.loads


def test_a_failed_import_is_no_load_and_data_files_are_told(trace: Trace) -> None:
    script = "try:\n    import alpha.none\nexcept ImportError:\n    import alpha.read\n"
    _, lines = trace(script)
    assert loaded(lines) == {"alpha", "alpha.eager", "alpha.read"}
    assert lines.data == ("alpha/table.csv",)


@pytest.mark.parametrize("trimmed", [False, True])
def test_a_stub_is_told_as_one(trace: Trace, tmp_path: Path, trimmed: bool) -> None:
    """As a wheel has them: trimmed, where its profile takes docstrings and indentation from all modules."""
    late, both = ("alpha.lazy",), ("alpha.gone", "alpha.lazy")
    part = Removed(component="part", reason="x", modules=both, late=late, files=())
    remove(shipped_plan("numpy"), part, Tree(root=tmp_path / "site", tests=tmp_path / "tests"))
    for name in ("gone", "lazy") if trimmed else ():
        file = tmp_path / "site" / "alpha" / f"{name}.py"
        file.write_bytes(shrink_indentation(blank(file.read_bytes())) or b"")
        assert '"""' not in file.read_text()
    code, lines = trace("import alpha.lazy\nimport alpha.gone\n")
    assert code == 1
    assert {load.module for load in lines.loads if load.kind == "stub"} == {"alpha.gone", "alpha.lazy"}


CHILDREN = {
    "fork": "import os\nif os.fork() == 0:\n    import alpha.late\n    os._exit(0)\nos.wait()\n",
    "spawn": (
        "import multiprocessing as m\ndef f():\n    import alpha.late\nif __name__ == '__main__':\n"
        "    p = m.get_context('spawn').Process(target=f)\n    p.start()\n    p.join()\n"
    ),
    "subprocess": (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import alpha.late'], cwd='/')\n"
    ),
    "exec": "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'import alpha.late'])\n",
    "thread": (
        "import threading\ndef f():\n    import alpha.late\n"
        "t = threading.Thread(target=f)\nt.start()\nt.join()\n"
    ),
}


@pytest.mark.parametrize("way", CHILDREN)
def test_children_are_recorded(trace: Trace, way: str) -> None:
    _, lines = trace(CHILDREN[way])
    assert loaded(lines) == {"alpha", "alpha.eager", "alpha.late"}
    assert (lines.hidden, lines.lost) == ((), ())


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
        ("raise SystemExit(5)", 5),
        ("1 / 0", 1),
    ],
)
def test_however_it_ends_nothing_is_lost(trace: Trace, end: str, expected: int) -> None:
    script = f"import os, signal\nos.closerange(3, 64)\nos.chdir('/')\nimport alpha.late\n{end}\n"
    code, lines = trace(script)
    assert code == expected
    assert "alpha.late" in loaded(lines)


def test_the_sitecustomize_of_the_environment_runs_and_sees_its_own_path(
    trace: Trace, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import sys\nsys.marked = [p for p in sys.path if 'inject' in p]\n")
    path = os.pathsep.join([str(own), str(tmp_path / "site")])
    script = "import sys, sitecustomize\nassert sys.marked == []\nassert 'own' in sitecustomize.__file__\n"
    code, lines = trace(f"{script}import alpha\n", PYTHONPATH=path)
    assert code == 0
    assert "alpha" in loaded(lines)


@pytest.mark.parametrize("child", ["['-I', '-c', '']", "['-Sc', '']"])
def test_a_child_without_the_recorder_is_told(trace: Trace, child: str) -> None:
    _, lines = trace(f"import subprocess, sys\nsubprocess.run([sys.executable, *{child}])\n")
    assert len(lines.hidden) == 1


def test_a_child_with_cleared_variables_is_told(trace: Trace) -> None:
    _, lines = trace("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''], env={})\n")
    assert lines.hidden == ("python -c ",)


def test_a_profiler_of_the_program_is_told(trace: Trace) -> None:
    code, lines = trace("import sys\nsys.setprofile(lambda *a: None)\nimport alpha\n")
    assert code == 0
    assert bool(lines.lost) == lines.pythons[0].startswith("3.11")


def test_no_recording_at_all_is_an_error_with_a_way_out(trace: Trace) -> None:
    with pytest.raises(NothingRecorded, match="no Python process") as caught:
        trace("pass\n", "-I")
    assert "-I" in caught.value.next_step
    assert caught.value.exit_code == TraceError.exit_code


def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be started"):
        run_recorded(("/nonexistent/program",), os.environ, WATCH, tmp_path / "run")


def test_a_recorder_that_cannot_write_leaves_the_program_alone(tmp_path: Path, trace: Trace) -> None:
    environment = prepare({**os.environ, "PYTHONPATH": ""}, WATCH, tmp_path / "other")
    shutil.rmtree(tmp_path / "other" / "processes")
    done = subprocess.run(
        [sys.executable, "-c", "print('fine')"], env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_it_passes_signals_on_and_keeps_the_record(tmp_path: Path, trace: Trace) -> None:
    """A process of its own gets the signal; the command it runs ends by it."""
    script = (
        "import json, os, pathlib, sys\nfrom spokeshave.trace.inject import Watch, run_recorded\n"
        "watch = Watch(packages=('alpha',), modules=())\n"
        "code, lines = run_recorded(sys.argv[2:], os.environ, watch, pathlib.Path(sys.argv[1]))\n"
        "print(json.dumps([code, [load.module for load in lines.loads]]))\n"
    )
    child = "import os, signal, alpha\nos.kill(os.getppid(), signal.SIGTERM)\nsignal.pause()\n"
    builder = str(Path(__file__).resolve().parents[3] / "builder")
    path = os.pathsep.join([builder, str(tmp_path / "site")])
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "run"), sys.executable, "-c", child],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [128 + signal.SIGTERM, ["alpha", "alpha.eager"]]
