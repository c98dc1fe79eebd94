"""The runner, with real children: output, deadlines, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spokeshave.inside import run as running
from spokeshave.inside.run import Command, run
from support import ROOT, wait_until


def sh(script: str, **options: object) -> Command:
    return Command(argv=("sh", "-c", script), **options)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_in(path: Path) -> int:
    wait_until(f"{path.name} is written", lambda: path.is_file() and path.read_text().endswith("\n"))
    return int(path.read_text())


def test_output_and_exit_code_come_back() -> None:
    done = run(sh("echo one; echo two >&2; exit 3"))
    assert (done.returncode, done.ok, done.output) == (3, False, "one\ntwo")
    assert run(sh("exit 0")).ok
    assert run(sh("kill -9 $$")).returncode == -9


def test_without_a_log_all_output_is_kept() -> None:
    lines = run(sh("seq 500")).output.splitlines()
    assert (len(lines), lines[0]) == (500, "1")


def test_with_a_log_the_tail_is_kept_and_the_log_has_all(tmp_path: Path) -> None:
    log = tmp_path / "deep" / "run.log"
    done = run(sh("seq 500", log=log))
    assert done.output.splitlines() == [str(n) for n in range(441, 501)]
    assert len(log.read_text().splitlines()) == 500
    run(sh("echo more", log=log))
    assert log.read_text().endswith("500\nmore\n"), "steps of one build share a log"


def test_lines_are_told_as_they_come() -> None:
    seen: list[str] = []
    run(sh("printf 'a\\r\\nb\\n\\377c'", on_line=seen.append))
    assert seen == ["a", "b", "\ufffdc"]


def test_folder_variables_and_input_are_handed_on(tmp_path: Path) -> None:
    done = run(sh("pwd; echo $WORD; cat", cwd=tmp_path, env={"WORD": "given"}, stdin=b"typed"))
    assert done.output.splitlines() == [str(tmp_path), "given", "typed"]
    assert run(sh("cat")).output == "", "without input there is none, not the terminal's"


def test_a_program_that_does_not_exist_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        run(Command(argv=("no-such-program-here",)))


def test_past_its_time_the_whole_group_is_ended(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! >{tmp_path}/grandchild; echo $$ >{tmp_path}/child; wait"
    with pytest.raises(TimeoutError, match="sh did not end within"):
        run(sh(script, timeout=0.5))
    for name in ("child", "grandchild"):
        pid = pid_in(tmp_path / name)
        wait_until(f"the {name} is gone", lambda pid=pid: not alive(pid))  # type: ignore[misc]


def test_within_its_time_nothing_is_said() -> None:
    assert run(sh("echo quick", timeout=60)).output == "quick"


def test_a_failing_observer_leaves_no_child(tmp_path: Path) -> None:
    def fail(line: str) -> None:
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="started"):
        run(sh(f"echo $$ >{tmp_path}/child; echo started; exec sleep 600", on_line=fail))
    assert not alive(pid_in(tmp_path / "child"))


def test_a_child_that_minds_no_interrupt_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(line: str) -> None:
        raise RuntimeError(line)

    monkeypatch.setattr(running, "_GRACE_SECONDS", 0.2)
    with pytest.raises(RuntimeError, match="started"):
        run(sh(f"trap '' INT; echo $$ >{tmp_path}/child; echo started; sleep 600 & wait; wait", on_line=fail))
    assert not alive(pid_in(tmp_path / "child"))


DRIVER = """
import sys
from spokeshave.inside.run import Command, run
try:
    run(Command(argv=("sh", "-c", sys.argv[1])))
except KeyboardInterrupt:
    sys.exit(130)
"""


def driver(script: str) -> subprocess.Popen[bytes]:
    """A process of its own that runs the script through the runner."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "builder")}
    return subprocess.Popen([sys.executable, "-c", DRIVER, script], env=env, start_new_session=True)


def test_an_interrupt_ends_the_child_and_all_that_it_started(tmp_path: Path) -> None:
    # A shell without job control starts its background jobs deaf to SIGINT.
    process = driver(f"sleep 600 & echo $! >{tmp_path}/grandchild; echo $$ >{tmp_path}/child; wait")
    try:
        pids = [pid_in(tmp_path / "child"), pid_in(tmp_path / "grandchild")]
        comm = Path(f"/proc/{pids[1]}/comm")
        wait_until("the grandchild has made itself deaf", lambda: comm.read_text() == "sleep\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        wait_until("child and grandchild are gone", lambda: not any(map(alive, pids)))
    finally:
        process.kill()


def test_an_interrupt_reaches_the_child_as_one(tmp_path: Path) -> None:
    trap = f"trap 'echo tidy >{tmp_path}/tidy; exit' INT"
    process = driver(f"{trap}; echo $$ >{tmp_path}/child; while :; do sleep 0.05; done")
    try:
        pid_in(tmp_path / "child")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert (tmp_path / "tidy").read_text() == "tidy\n", "it had its chance to clean up"
    finally:
        process.kill()


def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    process = driver(f"echo $$ >{tmp_path}/child; exec sleep 600")
    child = pid_in(tmp_path / "child")
    assert alive(child)
    process.kill()
    process.wait(60)
    wait_until("the child is gone", lambda: not alive(child))
