"""Which runs are alive: by the lock they hold, across PID namespaces, boots and versions."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.machine import owners
from spokeshave.machine.owners import Cleared, Owner, clear, is_held, own_folder, this_run
from together import needs_namespaces, output_of, python

OWNER = """
import sys
from pathlib import Path
from spokeshave.machine.owners import own_folder, this_run
with own_folder(Path(sys.argv[1]), "run") as folder:
    (folder / "half.o").touch()
    print(folder, this_run(folder.name), flush=True)
    sys.stdin.readline()
"""
CLEANER = """
import sys
from pathlib import Path
from spokeshave.machine.owners import clear
print(clear(Path(sys.argv[1]).iterdir()))
"""
JUDGE = """
import sys
from pathlib import Path
from spokeshave.machine.owners import Owner
print(Owner.parse(sys.argv[1]).state(Path(sys.argv[2])))
"""


Started = tuple[subprocess.Popen[str], Path, str]


@pytest.fixture(params=[pytest.param(True, marks=needs_namespaces, id="other namespace"), False])
def owner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Started]:
    """A live run in its own PID namespace or in ours, its folder, and what its label says."""
    process = python(OWNER, tmp_path / "runs", namespace=request.param)
    assert process.stdout
    folder, label = process.stdout.readline().split()
    yield process, Path(folder), label
    process.kill()
    process.communicate()


def end(process: subprocess.Popen[str]) -> None:
    """Ends it with all that it started, and its namespace, as a job that is killed."""
    process.communicate("go on\n", timeout=60)


@needs_namespaces
def test_clear_from_another_namespace_keeps_what_a_live_run_holds(
    owner: Started,
) -> None:
    process, folder, _ = owner
    assert output_of(CLEANER, folder.parent, namespace=True) == str(Cleared())
    assert clear([folder]) == Cleared()
    assert (folder / "half.o").exists()
    end(process)
    assert output_of(CLEANER, folder.parent, namespace=True) == str(Cleared(removed=1))
    assert not folder.exists()


@needs_namespaces
def test_state_from_another_namespace_is_that_of_the_lock(owner: Started, tmp_path: Path) -> None:
    process, folder, label = owner
    told = Owner.parse(label)
    assert told and str(told) == label
    for elsewhere in (True, False):
        assert output_of(JUDGE, label, folder.parent, namespace=elsewhere) == "alive"
    assert output_of(JUDGE, label, tmp_path / "another store", namespace=True) == "unsure"
    end(process)
    for elsewhere in (True, False):
        assert output_of(JUDGE, label, folder.parent, namespace=elsewhere) == "dead"
    # Linux gives the number of a namespace that has ended to a new one, where no process of the label is.
    assert output_of(JUDGE, label, tmp_path / "another store", namespace=True) in ("unsure", "dead")


def test_state_in_the_same_namespace_needs_no_folder() -> None:
    own = this_run("")
    assert own.state(None) == "alive"
    assert replace(own, started="1").state(None) == "dead", "our number, but of a process of another time"
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert replace(own, pid=child.pid).state(None) == "dead"


def test_state_of_another_boot_cannot_be_told(tmp_path: Path) -> None:
    with own_folder(tmp_path, "run") as folder:
        own = this_run(folder.name)
        assert replace(own, boot="another").state(tmp_path) == "unsure"
        assert replace(own, boot="").state(tmp_path) == "unsure"


def test_parse_of_what_others_wrote_is_nothing() -> None:
    for text in ("", "123:456", "a:b:c:d:e", "a:1:2:3:../x"):
        assert Owner.parse(text) is None


def test_clear_a_folder_of_another_boot_keeps_it_until_it_is_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "1-00000000_abcdefgh"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "x.o").touch()
    assert clear([folder]) == Cleared(left=1)
    old = time.time() - owners.FORGOTTEN - 60
    for path in (folder, folder / "deep"):
        os.utime(path, (old, old))
    assert clear([folder]) == Cleared(left=1), "a file in it is new"
    os.utime(folder / "deep" / "x.o", (old, old))
    assert clear([folder]) == Cleared(removed=1)


def test_clear_with_unsure_removes_all_but_what_is_held(tmp_path: Path) -> None:
    (tmp_path / "123-abcdefgh").mkdir()  # as earlier versions named them
    with own_folder(tmp_path, "1") as held:
        assert is_held(held)
        assert clear(tmp_path.iterdir(), unsure=True) == Cleared(removed=1)
        assert list(tmp_path.iterdir()) == [held]
    assert not is_held(held)


def test_own_folder_whose_holder_is_killed_is_free(tmp_path: Path) -> None:
    process = python(OWNER, tmp_path / "runs")
    assert process.stdout
    folder = Path(process.stdout.readline().split()[0])
    assert clear([folder]) == Cleared()
    process.kill()
    process.communicate()
    assert clear([folder]) == Cleared(removed=1)


def test_clear_of_what_is_gone_already_counts_nothing(tmp_path: Path) -> None:
    assert clear([tmp_path / "gone"]) == Cleared()
