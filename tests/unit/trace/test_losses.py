"""What a recorder does when its program takes its rights, folders, files or children away: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spokeshave.errors import NothingRecorded, TraceError
from spokeshave.trace.inject import prepare
from spokeshave.trace.journal import LOSSES
from traced import WATCH, Trace, loaded, used

CANNOT_WRITE, FULL = LOSSES
DROP = "import os\nos.setgid(65534)\nos.setuid(65534)\n"
JAIL = "import os, alpha, tempfile\nos.chroot(tempfile.mkdtemp())\nos.chdir('/')\n"
ALL_FILES = "import os\nos.closerange(3, 5000)\n"
CLEAR = "import os, subprocess, sys\nos.environ.clear()\n"
FORKED = "if os.fork() == 0:\n    {}\n    os._exit(0)\nos.wait()\n"
LATE = "import alpha.late\nalpha.eager.work()\n"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes its user or root folder: needs root")


@pytest.fixture(autouse=True)
def open_to_all(tmp_path: Path) -> None:
    """Other users get to the traced package, as they do to an installed one."""
    for folder in (tmp_path, *tmp_path.parents[:3]):  # pytest's own; under pytest-xdist there is one more
        if folder.is_relative_to(f"{tempfile.gettempdir()}/"):
            folder.chmod(0o755)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 1 MB that the recorder works on."""
    place = tmp_path / "disk"
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=1777", "none", str(place)]
    if subprocess.run(argv, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


RECORDED = {
    "closefrom": f"{ALL_FILES}{LATE}",
    "os._exit": f"import os\n{LATE}os._exit(0)\n",
    "umask": f"import os\nos.umask(0o777)\n{ALL_FILES}{LATE}",
    "environ.clear": f"import os\nos.environ.clear()\n{LATE}",
    "environ.clear, no Python": f"{CLEAR}subprocess.run('true && true', shell=True)\n{LATE}",
    "fork without exec": "import os\n" + FORKED.format("import alpha.late; alpha.eager.work()"),
}
RECORDED_AS_ROOT = {
    "setuid": f"{DROP}{LATE}",
    "setuid, closefrom": f"{DROP}{ALL_FILES}{LATE}",
    "setuid, fork": DROP + FORKED.format("import alpha.late; alpha.eager.work()"),
}


@pytest.mark.parametrize("way", RECORDED)
def test_record_of_a_program_that_changes_itself_is_whole(trace: Trace, way: str) -> None:
    code, lines = trace(RECORDED[way])
    assert (code, lines.lost, lines.hidden) == (0, (), ())
    assert "alpha.late" in loaded(lines)
    assert ("alpha.eager", "alpha.eager") in used(lines)


@as_root
@pytest.mark.parametrize("way", RECORDED_AS_ROOT)
def test_record_without_rights_is_whole(trace: Trace, way: str) -> None:
    code, lines = trace(RECORDED_AS_ROOT[way])
    assert (code, lines.lost, lines.hidden) == (0, (), ())
    assert "alpha.late" in loaded(lines)
    assert ("alpha.eager", "alpha.eager") in used(lines)


@as_root
@pytest.mark.parametrize("forked", [False, True])
def test_record_in_another_root_is_whole(trace: Trace, forked: bool) -> None:
    work = "alpha.eager.work()\n"
    code, lines = trace(JAIL + (FORKED.format(work) if forked else work))
    assert (code, lines.lost, lines.processes) == (0, (), 1 + forked)
    assert ("alpha.eager", "alpha.eager") in used(lines)


@as_root
def test_new_process_of_another_user_is_recorded(trace: Trace) -> None:
    python = "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("no Python that another user can run")
    script = f"import subprocess\nsubprocess.run([{python!r}, '-c', ''], user=65534, check=True)\n"
    code, lines = trace(script)
    assert (code, lines.lost, lines.processes) == (0, (), 2)


@as_root
def test_loss_of_every_way_to_write_is_reported(trace: Trace) -> None:
    code, lines = trace(f"{JAIL}os.setuid(65534)\n{ALL_FILES}alpha.eager.work()\n")
    assert (code, lines.lost) == (0, (CANNOT_WRITE,))


def test_loss_of_the_folder_is_reported(trace: Trace) -> None:
    place = "os.environ['PYTHONPATH'].split(':')[0]"
    script = f"import os, shutil\nshutil.rmtree(os.path.dirname({place}))\nimport alpha.late\n"
    with pytest.raises(NothingRecorded, match="removed or became read-only"):
        trace(script)


@as_root
def test_full_disk_is_reported(trace: Trace, disk: Path) -> None:
    fill = f"f = open({str(disk / 'fill')!r}, 'wb', 0)"
    script = (
        f"import alpha, os\n{fill}\ntry:\n    while f.write(bytes(4096)): pass\nexcept OSError: pass\n"
        "for n in range(9):\n    if os.fork() == 0: os._exit(0)\n    os.wait()\n"
    )
    code, lines = trace(script)
    assert code == 0
    assert FULL in lines.lost


def test_disk_that_is_full_from_the_start_is_an_error(
    trace: Trace, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (disk / "fill").open("wb", 0) as file, pytest.raises(OSError, match="No space"):
        while file.write(bytes(4096)):
            pass
    with pytest.raises(TraceError, match="cannot be written") as caught:
        trace("pass\n")
    assert "TMPDIR" in caught.value.next_step


@as_root
def test_read_only_folder_is_reported(trace: Trace, disk: Path) -> None:
    """A new process cannot write; the one that was there still has its file."""
    script = (
        f"import subprocess, sys\nd = {str(disk)!r}\n"
        "subprocess.run(['mount', '--bind', d, d], check=True)\n"
        "subprocess.run(['mount', '-o', 'remount,ro,bind', d], check=True)\n"
        "subprocess.run([sys.executable, '-c', 'import alpha.late'])\nimport alpha\n"
    )
    try:
        _, lines = trace(script)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)
    assert "alpha" in loaded(lines)
    assert any(why.startswith("a Python process recorded nothing: python -c") for why in lines.lost)
    assert any("read-only" in why for why in lines.lost)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("subprocess.run([sys.executable, '-c', ''])", "python -c"),
        ("subprocess.run([sys.argv[1]])", "script"),
        ("subprocess.run(f'{sys.executable} -c 1', shell=True)", "sh -c"),
        ("os.system(f'exec {sys.argv[1]}')", "sh -c"),
        ("os.system('$P')", "sh -c"),
        ("os.execv(sys.executable, [sys.executable, '-c', ''])", "python -c"),
        ("os.posix_spawn(sys.executable, [sys.executable, '-c', ''], os.environ)", "python -c"),
    ],
)
def test_child_of_cleared_variables_is_hidden(
    trace: Trace, tmp_path: Path, start: str, expected: str
) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!{sys.executable} -s\n")
    script.chmod(0o755)
    _, lines = trace(f"{CLEAR}sys.argv[1:] = [{str(script)!r}]\n{start}\n")
    assert [what[: len(expected)] for what in lines.hidden] == [expected]


def test_spawned_process_of_cleared_variables_is_hidden(trace: Trace) -> None:
    script = (
        "import os, multiprocessing as m\ndef f(): pass\nif __name__ == '__main__':\n"
        "    p = m.get_context('spawn').Process(target=f)\n    p.start()\n    p.join()\n"
        "    del os.environ['PYTHONPATH']\n"
        "    p = m.get_context('spawn').Process(target=f)\n    p.start()\n    p.join()\n"
    )
    _, lines = trace(script)
    assert len(lines.hidden) == 1
    assert lines.lost == ()


@pytest.mark.parametrize(
    "command",
    [
        "['env', '-i', sys.executable, '-c', '']",
        "[sys.executable, '-c', ''], preexec_fn=lambda: os.kill(os.getpid(), 9)",
    ],
)
def test_child_that_never_reports_is_lost(trace: Trace, command: str) -> None:
    _, lines = trace(f"import os, subprocess, sys\nsubprocess.run({command})\n")
    assert [why.partition(":")[0] for why in lines.lost] == ["a Python process recorded nothing"]


@pytest.mark.parametrize(
    "start",
    [
        "subprocess.run([sys.executable, '-V'])",
        "subprocess.run(['env', 'A=1', sys.executable, '-c', ''])",
        "subprocess.run(f'{sys.executable} -c 1; true', shell=True)",
        "subprocess.run([sys.executable, '-c', ''], preexec_fn=lambda: None)",
        "os.execvp(os.path.basename(sys.executable), ['python', '-c', ''])",
        "os.fork() or os.execv(sys.executable, [sys.executable, '-c', ''])\ntime.sleep(.5)\nos.wait()",
        "os.fork() or (os.fork() and os._exit(0)) or subprocess.run([sys.executable, '-c', ''])",
    ],
)
def test_child_that_reports_is_no_loss(trace: Trace, start: str) -> None:
    path = f"os.environ['PATH'] = '/nonexistent:{Path(sys.executable).parent}:' + os.environ['PATH']\n"
    _, lines = trace(f"import os, subprocess, sys, time\n{path}{start}\n")
    assert (lines.lost, lines.hidden) == ((), ())


def test_process_that_outlives_the_command_is_a_loss(trace: Trace) -> None:
    _, lines = trace("import os, time\nif os.fork() == 0:\n    time.sleep(60)\nprint(end='')\n")
    assert lines.lost == ("1 of its processes still ran when the command had ended",)


def test_200_processes_at_once_are_all_there(trace: Trace) -> None:
    script = (
        "import os, sys, alpha\nfor n in range(200):\n    if os.fork() == 0:\n"
        "        sys.audit('open', f'{alpha.__path__[0]}/{n}.csv', 'r', 0)\n        os._exit(0)\n"
        "for n in range(200):\n    os.wait()\n"
    )
    code, lines = trace(script)
    assert (code, lines.processes, lines.lost) == (0, 201, ())
    assert len(lines.data) == 200


def test_thread_that_is_not_heard_is_told(trace: Trace) -> None:
    _, lines = trace("import _thread, time\n_thread.start_new_thread(time.time, ())\n")
    assert bool(lines.lost) == lines.pythons[0].startswith("3.11")


def test_unheard_program_says_nothing_itself(tmp_path: Path, python: str) -> None:
    """A folder that is gone before the start: neither output nor an error of the program's."""
    variables = prepare({**os.environ, "PYTHONPATH": ""}, WATCH, tmp_path / "run")
    for path in (tmp_path / "run" / "processes").iterdir():
        path.unlink()
    (tmp_path / "run" / "processes").rmdir()
    done = subprocess.run(
        [python, "-c", "print(1)"], env=variables, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_signal_ends_a_recorded_program_as_before(trace: Trace) -> None:
    code, lines = trace("import os, signal, alpha.late\nos.kill(os.getpid(), signal.SIGTERM)\n")
    assert code == 128 + signal.SIGTERM
    assert "alpha.late" in loaded(lines)
