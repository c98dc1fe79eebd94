"""Files written by several processes at once: no reader sees half of one, no writer fails or leaves one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from spokeshave.errors import StoreError
from spokeshave.machine.files import alone_with, copy_whole, is_temporary, remove_left, write_whole
from support import wait_until
from together import names, python

FORK = multiprocessing.get_context("fork")
SIZE = 2_000_000


def _write(target: Path, letter: str) -> None:
    write_whole(target, letter * SIZE)


def _write_chunks(target: Path, letter: str) -> None:
    write_whole(target, [letter.encode() * (SIZE // 4)] * 4)


def _copy(target: Path, letter: str) -> None:
    source = target.parent.parent / f"{letter}.txt"
    source.write_text(letter * SIZE)
    copy_whole(source, target)


def _again(write: Callable[[Path, str], None], target: Path, letter: str, barrier: Barrier) -> None:
    barrier.wait(60)
    for _ in range(12):
        write(target, letter)


@pytest.mark.parametrize("write", [_write, _write_chunks, _copy])
def test_write_whole_three_writers_at_once_shows_whole_files_only(
    tmp_path: Path, write: Callable[[Path, str], None]
) -> None:
    target = tmp_path / "out" / "result.txt"
    target.parent.mkdir()
    target.write_text("-" * SIZE)
    barrier = FORK.Barrier(4)
    writers = [FORK.Process(target=_again, args=(write, target, letter, barrier)) for letter in "abc"]
    for writer in writers:
        writer.start()
    barrier.wait(60)
    seen = set()
    while any(writer.is_alive() for writer in writers):
        text = target.read_text()
        seen.add((len(text), *sorted(set(text))))
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert seen <= {(SIZE, letter) for letter in "-abc"}
    assert names(target.parent) == ["result.txt"]


WRITER = """
import sys
from pathlib import Path
from spokeshave.machine.files import write_whole
def chunks():
    yield b"half"
    print("in the middle", flush=True)
    sys.stdin.readline()
    yield b" and half"
write_whole(Path(sys.argv[1]), chunks())
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out" / "result.txt"


@pytest.fixture
def half(target: Path) -> Iterator[Path]:
    """The temporary file of another process that is in the middle of writing the target."""
    process = python(WRITER, target)
    assert process.stdout and process.stdout.readline() == "in the middle\n"
    (path,) = target.parent.iterdir()
    yield path
    process.kill()
    process.communicate()


def test_write_whole_beside_a_live_writer_leaves_its_file(target: Path, half: Path) -> None:
    write_whole(target, "ours")
    remove_left(target.parent)
    assert target.read_text() == "ours"
    assert half.exists()


def test_write_whole_after_a_killed_writer_removes_what_it_left(target: Path) -> None:
    process = python(WRITER, target)
    assert process.stdout and process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (half,) = target.parent.iterdir()
    assert is_temporary(half, "result.txt") and not is_temporary(half, "result")
    write_whole(target.with_name("result"), "another file")
    assert half.exists(), "what others write is left to them"
    write_whole(target, "ours")
    assert names(target.parent) == ["result", "result.txt"]


def test_write_whole_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to("deep/file")
    write_whole(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "deep" / "file").read_text() == "text"


def test_write_whole_to_a_pipe_writes_into_it(tmp_path: Path) -> None:
    """As to /dev/null, which a user with all rights must not replace by a file."""
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    write_whole(tmp_path / "pipe", "text")
    reader.join(60)
    assert read == ["text"]
    assert (tmp_path / "pipe").is_fifo()


def test_write_whole_of_the_longest_name_succeeds(tmp_path: Path) -> None:
    for name in ("x" * 255, "ü" * 127):
        with alone_with(tmp_path / name):
            write_whole(tmp_path / name, "text")
        assert (tmp_path / name).read_text() == "text"


def test_write_whole_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "file", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def _count(path: Path, barrier: Barrier) -> None:
    barrier.wait(60)
    for _ in range(25):
        with alone_with(path):
            write_whole(path, str(int(path.read_text()) + 1))


def test_alone_with_six_that_merge_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out" / "count"
    path.parent.mkdir()
    path.write_text("0")
    barrier = FORK.Barrier(6)
    processes = [FORK.Process(target=_count, args=(path, barrier)) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 6
    assert path.read_text() == "150"
    assert names(path.parent) == ["count"], "no lock file is left"


HOLDER = """
import sys
from pathlib import Path
from spokeshave.machine.files import alone_with
with alone_with(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_alone_with_after_a_killed_holder_does_not_wait(tmp_path: Path) -> None:
    process = python(HOLDER, tmp_path / "count")
    assert process.stdout and process.stdout.readline() == "held\n"
    done = threading.Event()

    def hold() -> None:
        with alone_with(tmp_path / "count"):
            done.set()

    waiter = threading.Thread(target=hold, daemon=True)
    waiter.start()
    assert not done.wait(0.3), "it is held"
    process.kill()
    process.communicate()
    wait_until("the lock is free", done.is_set)
    waiter.join(60)
    assert names(tmp_path) == []


def test_alone_with_where_no_lock_can_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        with alone_with(tmp_path / "file" / "count"):
            raise AssertionError("it was not held")
