"""The store: whole or absent, checked on every read, one builder at a time, honest about full disks."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import pytest

from spokeshave.errors import StoreError
from spokeshave.inside.model import file_sha256
from spokeshave.machine.owners import Cleared, own_folder
from spokeshave.machine.store import Store
from support import RECIPES, wait_until
from together import needs_namespaces, output_of, python

KEY = "a" * 64


class Said(list[str]):
    """Keeps what the store says to the user."""

    def __call__(self, text: str) -> None:
        self.append(text)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def store(tmp_path: Path, said: Said) -> Store:
    return Store(root=tmp_path / "cache", say=said)


def fill(folder: Path) -> None:
    (folder / "one.txt").write_text("one")
    (folder / "deep").mkdir()
    (folder / "deep" / "two.txt").write_text("two")


def scratch_of(store: Store) -> list[Path]:
    return list((store.root / "tmp").glob("*"))


def test_what_is_put_is_got(store: Store, said: Said) -> None:
    assert store.get("built", KEY) is None
    place = store.put("built", KEY, fill)
    assert store.get("built", KEY) == place
    assert (place / "deep" / "two.txt").read_text() == "two"
    assert store.get("source", KEY) is None, "kinds are apart"
    assert scratch_of(store) == []
    assert said == []


def _flip(folder: Path) -> None:
    data = bytearray((folder / "deep" / "two.txt").read_bytes())
    data[1] ^= 1
    (folder / "deep" / "two.txt").write_bytes(data)


DAMAGES = {
    "a flipped bit": (_flip, "deep/two.txt has changed"),
    "a missing file": (lambda f: (f / "one.txt").unlink(), "missing or added"),
    "an added file": (lambda f: (f / "new.txt").write_text(""), "missing or added"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "manifest cannot be read"),
    "a torn manifest": (lambda f: (f / "manifest.json").write_text('{"one'), "manifest cannot be read"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_corrupt_entry_is_noticed_and_removed(store: Store, said: Said, damage: str) -> None:
    place = store.put("built", KEY, fill)
    spoil, words = DAMAGES[damage]
    spoil(place)
    assert store.get("built", KEY) is None
    assert words in said[0]
    assert "made again" in said[0]
    assert not place.exists()
    assert store.put("built", KEY, fill) == store.get("built", KEY)


def test_a_failing_fill_leaves_nothing(store: Store) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise RuntimeError("compile failed")

    with pytest.raises(RuntimeError, match="compile failed"):
        store.put("built", KEY, fail)
    assert store.get("built", KEY) is None
    assert store.entries() == []
    assert scratch_of(store) == []


def test_of_two_that_make_the_same_the_first_stays(store: Store) -> None:
    """The sources of two profiles are one entry, which the first run may be reading already."""

    def slow(folder: Path) -> None:
        store.put("source", KEY, fill)  # another run gets there first
        opened.append((store.root / "entries" / "source" / KEY / "one.txt").stat().st_ino)
        fill(folder)

    opened: list[int] = []
    place = store.put("source", KEY, slow)
    assert (place / "one.txt").stat().st_ino == opened[0], "the file was taken from under its reader"
    assert scratch_of(store) == []


def test_a_corrupt_entry_in_the_way_is_replaced(store: Store) -> None:
    _flip(store.put("built", KEY, fill))
    assert store.put("built", KEY, fill) == store.get("built", KEY)


def test_entries_are_listed_and_removed_by_kind(store: Store) -> None:
    store.put("built", KEY, fill)
    store.put("source", KEY, fill)
    assert sorted(store.entries()) == [("built", KEY, 6), ("source", KEY, 6)]
    assert store.remove(("source",)) == 6
    assert [kind for kind, _, _ in store.entries()] == ["built"]
    assert store.remove() == 6
    assert store.entries() == []


def test_logs_of_other_runs_are_removed(store: Store) -> None:
    with own_folder(store.root / "logs", "run") as ended:
        (ended / "build.log").write_text("12345")
    with own_folder(store.root / "logs", "run") as now:
        (now / "build.log").write_text("12345")
        assert store.runs(but="") == 1
        assert store.remove_logs() == 5
        assert list((store.root / "logs").iterdir()) == [now]


def _hold(root: Path, inside: Event, leave: Event) -> None:
    with Store(root=root, say=print).locked("built", KEY):
        inside.set()
        assert leave.wait(60)


def _wait(root: Path, done: Event) -> None:
    def say(text: str) -> None:
        (root / "said.txt").write_text(text)

    with Store(root=root, say=say).locked("built", KEY):
        done.set()


def test_a_second_process_waits_and_says_so(store: Store) -> None:
    spawn = multiprocessing.get_context("fork")
    inside, leave, done = spawn.Event(), spawn.Event(), spawn.Event()
    first = spawn.Process(target=_hold, args=(store.root, inside, leave))
    second = spawn.Process(target=_wait, args=(store.root, done))
    first.start()
    assert inside.wait(60)
    second.start()
    try:
        wait_until("the second process says that it waits", (store.root / "said.txt").exists)
        assert not done.is_set()
        leave.set()
        assert done.wait(60)
        second.join(60)
        first.join(60)
        assert (first.exitcode, second.exitcode) == (0, 0)
        assert f"another run is making built {KEY[:12]}" in (store.root / "said.txt").read_text()
    finally:
        for process in (first, second):
            if process.is_alive():
                process.kill()


def test_locked_entry_of_another_run_stopped_wait_is_an_interrupt(store: Store, said: Said) -> None:
    """Ctrl-C reaches the main thread alone: a build that waits in another thread has to look."""
    waiting = replace(store, stopped=lambda: bool(said))  # stopped once it has said that it waits
    with store.locked("built", KEY), pytest.raises(KeyboardInterrupt):
        with waiting.locked("built", KEY):
            pytest.fail("two runs hold one entry")
    with waiting.locked("built", KEY):
        pass  # it was left free


def test_different_entries_do_not_wait(store: Store, said: Said) -> None:
    with store.locked("built", KEY), store.locked("built", "b" * 64), store.locked("source", KEY):
        assert said == []


def test_a_lock_dies_with_its_process(store: Store) -> None:
    spawn = multiprocessing.get_context("fork")
    inside, leave = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_hold, args=(store.root, inside, leave))
    process.start()
    assert inside.wait(60)
    process.kill()
    process.join(60)
    with store.locked("built", KEY):
        pass  # would wait for ever


SCRATCH = """
import sys
from pathlib import Path
from spokeshave.machine.store import Store
with Store(root=Path(sys.argv[1]), say=print).scratch() as folder:
    (folder / "half.o").write_text("x")
    print(folder, flush=True)
    sys.stdin.readline()
"""


def test_scratch_of_dead_runs_is_swept(store: Store) -> None:
    process = python(SCRATCH, store.root)
    assert process.stdout
    other = Path(process.stdout.readline().strip())
    with store.scratch() as ours:
        assert store.sweep() == Cleared()
        assert other.is_dir(), "a live run keeps its own"
        process.kill()
        process.communicate()
        assert store.sweep() == Cleared(removed=1)
        assert ours.is_dir()
        assert not other.exists()
    assert scratch_of(store) == []


SWEEP = """
import sys
from pathlib import Path
from spokeshave.machine.store import Store
print(Store(root=Path(sys.argv[1]), say=print).sweep().removed)
"""


@needs_namespaces
def test_sweep_from_another_namespace_keeps_the_scratch_of_a_live_run(store: Store) -> None:
    """As a second job of a CI does, in a container with the same cache."""
    with store.scratch() as ours:
        (ours / "half.o").write_text("x")
        assert output_of(SWEEP, store.root, namespace=True) == "0"
        assert (ours / "half.o").exists()


def test_scratch_of_an_earlier_version_is_kept_for_its_run(store: Store) -> None:
    """It has no lock, and its process may be in another PID namespace."""
    (store.root / "tmp" / "999999999-abcdefgh").mkdir(parents=True)
    assert store.sweep() == Cleared(left=1)
    assert store.sweep(unsure=True) == Cleared(removed=1)


def test_scratch_is_named_as_the_rewriting_of_build_paths_expects(store: Store) -> None:
    with store.scratch() as ours:
        assert re.fullmatch(r"\d+-\w+", ours.name), "see finish._rewrite_paths"


def _get(store: Store, barrier: Barrier) -> None:
    barrier.wait(60)
    if store.get("built", KEY) is None:
        store.put("built", KEY, fill)
    assert store.get("built", KEY)


def test_a_corrupt_entry_that_six_meet_at_once_is_made_again(store: Store) -> None:
    spawn = multiprocessing.get_context("fork")
    for _ in range(5):
        _flip(store.put("built", KEY, fill))
        barrier = spawn.Barrier(6)
        processes = [spawn.Process(target=_get, args=(store, barrier)) for _ in range(6)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 6
    assert [p.name for p in (store.root / "entries" / "built").iterdir()] == [KEY]


def test_an_entry_that_fails_the_check_of_its_user_is_made_again(store: Store, said: Said) -> None:
    def check(files: Mapping[str, str]) -> str:
        return "" if set(files) == {"one.txt"} else f"{len(files)} files"

    place = store.put("source", KEY, fill)
    assert store.get("source", KEY) == place, "intact by its manifest"
    assert store.get("source", KEY, check) is None
    assert said == [f"store: source {KEY[:12]} cannot be used (2 files); it is made again"]
    assert not place.exists()
    store.put("source", KEY, lambda new: (new / "one.txt").touch(), check)
    assert store.get("source", KEY, check) == place


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not shutil.which("mount"):
        pytest.skip("no mount command")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not permitted: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_told_and_nothing_stays(small_disk: Path, said: Said) -> None:
    store = Store(root=small_disk / "cache", say=said)
    store.put("source", KEY, fill)

    def too_much(folder: Path) -> None:
        (folder / "large.bin").write_bytes(b"x" * 2_000_000)

    with pytest.raises(StoreError, match=f"the disk of {store.root} is full") as caught:
        store.put("built", KEY, too_much)
    assert caught.value.exit_code == 50
    assert "spokeshave clean" in caught.value.next_step
    assert store.get("built", KEY) is None
    assert scratch_of(store) == []
    assert store.get("source", KEY) is not None, "what was there before is still sound"


def test_a_disk_that_fills_while_fetching_is_told(small_disk: Path, tmp_path: Path) -> None:
    sdist = tmp_path / "cmeel_openblas-0.3.31.tar.gz"
    sdist.write_bytes(os.urandom(2_000_000))
    recipes = shutil.copytree(RECIPES, tmp_path / "recipes")
    recipe = recipes / "openblas" / "recipe.toml"
    recipe.write_text(re.sub('sha256 = ".*?"', f'sha256 = "{file_sha256(sdist)}"', recipe.read_text()))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "spokeshave", "--recipes", str(recipes)),
            *("--cache", str(small_disk / "cache"), "fetch", "openblas", "--engine", "host"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)},
    )
    assert done.returncode == 50, done.stderr
    assert "No space left" in done.stderr or "is full" in done.stderr
    assert "next: " in done.stderr
    assert list((small_disk / "cache" / "tmp").glob("*")) == []


def test_a_disk_that_cannot_be_written_is_told(small_disk: Path) -> None:
    (small_disk / "cache" / "logs").mkdir(parents=True)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match="Read-only file system"):
        Store(root=small_disk / "cache", say=print).put("built", KEY, fill)
    argv = [sys.executable, "-m", "spokeshave", "--cache", str(small_disk / "cache"), "plan", "numpy"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 50, done.stderr
    assert done.stderr.startswith(f"error: the cache folder {small_disk / 'cache'} cannot be written")
