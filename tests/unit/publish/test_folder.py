"""The index folder: whole at every moment, one writer, nothing replaced, half-done work completed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock
from packaging.utils import NormalizedName
from packaging.version import Version

from releases import NUMPY, make_stack, make_wheel
from spokeshave.errors import PublishError
from spokeshave.machine.files import is_temporary, write_whole
from spokeshave.publish import folder as folders
from spokeshave.publish.folder import STATE, IndexFolder
from spokeshave.publish.index import pages
from spokeshave.publish.release import Release, gather

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def index(tmp_path: Path, said: list[str]) -> IndexFolder:
    return IndexFolder(root=tmp_path / "index", say=said.append, patience=0.2)


@pytest.fixture
def stack(tmp_path: Path) -> tuple[Release, ...]:
    return gather(make_stack(tmp_path / "wheels"))


def content(folder: Path) -> dict[str, bytes]:
    """All that a web server would show."""
    paths = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


def complete(index: IndexFolder) -> bool:
    return index.stale(index.read()) == [] and not list(index.root.rglob(".*.tmp"))


def test_wheels_and_their_metadata_lie_beside_the_pages(
    index: IndexFolder, stack: tuple[Release, ...]
) -> None:
    files = index.add(stack, NOW)
    assert [file.upload_time for file in files] == ["2026-01-02T03:04:05.000006Z"] * 2
    found = content(index.root)
    for release in stack:
        place = f"simple/{release.project}/{release.filename}"
        assert found.pop(place) == release.path.read_bytes()
        assert found.pop(f"{place}.metadata") == release.metadata
    assert found.pop(STATE)
    assert found == pages(files)


def test_what_is_there_stays_as_it_is(
    index: IndexFolder, stack: tuple[Release, ...], said: list[str]
) -> None:
    index.add(stack, NOW)
    before = content(index.root)
    stamps = {p: p.stat().st_mtime_ns for p in index.root.rglob("*.*") if p.is_file()}
    index.add(stack, LATER)
    assert content(index.root) == before, "the upload time is that of the first run"
    assert {p: p.stat().st_mtime_ns for p in stamps if p.name != STATE} == {
        p: stamp for p, stamp in stamps.items() if p.name != STATE
    }, "no page and no wheel is written again"
    assert said == []


def test_a_second_run_adds(index: IndexFolder, stack: tuple[Release, ...], tmp_path: Path) -> None:
    index.add(stack[:1], NOW)
    index.add(stack[1:], LATER)
    newer = gather([make_wheel(tmp_path / "newer", "numpy", "2.4.7+lean.1")])
    index.add(newer, LATER)
    page = json.loads((index.root / "simple/numpy/index.json").read_text())
    assert page["versions"] == [NUMPY, "2.4.7+lean.1"]
    assert complete(index)


def test_a_changed_file_under_an_existing_name_is_refused(
    index: IndexFolder, stack: tuple[Release, ...], tmp_path: Path
) -> None:
    index.add(stack[:1], NOW)
    before = content(index.root)
    changed = gather([*make_stack(tmp_path / "changed", value="other")])
    with pytest.raises(PublishError, match="in the index with another content") as caught:
        index.add(changed, LATER)
    assert "build number" in caught.value.next_step
    assert content(index.root) == before, "nothing of that run is written, the new BLAS included"


def test_a_proof_that_comes_later_is_told(index: IndexFolder, stack: tuple[Release, ...]) -> None:
    bare = [replace(release, level=None) for release in stack]
    assert [file.verified for file in index.add(bare, NOW)] == [None, None]
    assert b"not verified" in (index.root / "simple/numpy/index.html").read_bytes()
    assert [file.verified for file in index.add(stack, LATER)] == ["full", "full"]
    assert b"not verified" not in (index.root / "simple/numpy/index.html").read_bytes()
    assert [file.verified for file in index.add(bare, LATER)] == ["full", "full"]
    weaker = [replace(release, level="smoke") for release in stack]
    assert [file.verified for file in index.add(weaker, LATER)] == ["full", "full"]
    refuted = [replace(release, level=None, refuted=True) for release in stack]
    assert [file.verified for file in index.add(refuted, LATER)] == [None, None]


def test_yanking_and_taking_it_back(index: IndexFolder, stack: tuple[Release, ...]) -> None:
    index.add(stack, NOW)
    before = content(index.root)
    numpy = (NormalizedName("numpy"), Version(NUMPY))
    (file,) = index.set_yanked(*numpy, "wrong BLAS")
    page = json.loads((index.root / "simple/numpy/index.json").read_text())
    assert page["files"][0]["yanked"] == file.yanked == "wrong BLAS"
    index.add(stack, LATER)
    assert index.read()[0].yanked == "wrong BLAS", "publishing the same wheel again does not take it back"
    index.set_yanked(*numpy, None)
    assert content(index.root) == before
    with pytest.raises(PublishError, match=r"numpy==9 is not in") as caught:
        index.set_yanked(NormalizedName("numpy"), Version("9"), "x")
    assert caught.value.next_step == f"it has {NUMPY}"


def test_a_foreign_folder_is_refused_and_left_alone(index: IndexFolder, stack: tuple[Release, ...]) -> None:
    index.root.mkdir()
    (index.root / "thesis.tex").write_text("mine")
    with pytest.raises(
        PublishError, match=r"not an index that spokeshave made, and not empty: it has thesis"
    ):
        index.add(stack, NOW)
    assert content(index.root) == {"thesis.tex": b"mine"}
    assert not (index.root / ".spokeshave.lock").exists()
    with pytest.raises(PublishError, match="not an index that spokeshave made"):
        index.set_yanked(NormalizedName("numpy"), Version(NUMPY), "x")


def test_a_file_in_the_folders_place_is_refused(index: IndexFolder, stack: tuple[Release, ...]) -> None:
    index.root.write_text("")
    with pytest.raises(PublishError, match="cannot be written"):
        index.add(stack, NOW)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": 2, "files": []}', '{"schema": 1, "files": [{"filename": "x"}]}']
)
def test_a_damaged_index_is_not_guessed_at(index: IndexFolder, stack: tuple[Release, ...], text: str) -> None:
    index.add(stack, NOW)
    (index.root / STATE).write_text(text)
    before = content(index.root)
    with pytest.raises(PublishError, match="cannot be read"):
        index.add(stack, LATER)
    assert content(index.root) == before


def test_a_folder_in_use_is_waited_for(
    index: IndexFolder, stack: tuple[Release, ...], said: list[str]
) -> None:
    index.root.mkdir()
    with FileLock(index.root / ".spokeshave.lock"):
        with pytest.raises(PublishError, match="has been in use by another run"):
            index.add(stack, NOW)
    assert said == [f"another run is publishing to {index.root}; waiting for it"]
    assert not (index.root / STATE).exists()


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    releases = gather([make_wheel(tmp_path / "w", f"part{n}", "1.0+lean.1") for n in range(8)])
    index = IndexFolder(root=tmp_path / "index", say=lambda text: None)
    faults: list[BaseException] = []

    def publish(release: Release) -> None:
        try:
            index.add([release], NOW)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=publish, args=(release,)) for release in releases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert [file.filename for file in index.read()] == [release.filename for release in releases]
    assert complete(index)


class _Stopped(Exception):
    """Stands for the end of the process before one of its writes."""


@pytest.fixture
def stop_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Lets `write_whole` work `left` times more, then stops the run."""
    budget = {"left": 10**6, "used": 0}

    def limited(path: Path, chunks: object) -> None:
        if budget["left"] == 0:
            raise _Stopped
        budget["left"] -= 1
        budget["used"] += 1
        write_whole(path, chunks)  # type: ignore[arg-type]

    monkeypatch.setattr(folders, "write_whole", limited)
    yield budget


def add_stopped(index: IndexFolder, stack: tuple[Release, ...], budget: dict[str, int], writes: int) -> None:
    """Publishes until the run ends before one more write; later runs are not stopped."""
    budget["left"] = writes
    with pytest.raises(_Stopped):
        index.add(stack, NOW)
    budget["left"] = 10**6


def linked(root: Path) -> set[Path]:
    """All files that the pages on the disk name."""
    found = set()
    for page in root.glob("simple/*/index.json"):
        rows = json.loads(page.read_text())["files"]
        found |= {page.parent / row["filename"] for row in rows}
        found |= {page.parent / f"{row['filename']}.metadata" for row in rows}
    return found


def test_a_run_stopped_before_any_write_leaves_no_dead_link_and_is_completed(
    index: IndexFolder, stack: tuple[Release, ...], stop_before: dict[str, int]
) -> None:
    index.add(stack, NOW)
    writes, whole = stop_before["used"], content(index.root)
    assert writes == 1 + 4 + 1 + 6, "the empty state; wheels and metadata; the state; the pages"
    for left in range(writes):
        shutil.rmtree(index.root)
        add_stopped(index, stack, stop_before, left)
        assert all(path.is_file() for path in linked(index.root)), f"stopped before write {left + 1}"
        index.add(stack, NOW)
        assert content(index.root) == whole, f"stopped before write {left + 1}"


def test_a_later_run_with_another_wheel_completes_the_pages(
    index: IndexFolder,
    stack: tuple[Release, ...],
    stop_before: dict[str, int],
    said: list[str],
    tmp_path: Path,
) -> None:
    add_stopped(index, stack, stop_before, 1 + 4 + 1 + 2)
    assert index.stale(index.read()), "recognised"
    index.add(gather([make_wheel(tmp_path / "more", "demo", "1.0+lean.1")]), LATER)
    assert said == ["the index was half written (4 files); completing it"]
    assert complete(index)
    assert len(index.read()) == 3


def test_wheels_that_no_page_names_are_told(
    index: IndexFolder,
    stack: tuple[Release, ...],
    stop_before: dict[str, int],
    said: list[str],
    tmp_path: Path,
) -> None:
    add_stopped(index, stack, stop_before, 1 + 2)
    index.add(gather([make_wheel(tmp_path / "more", "demo", "1.0+lean.1")]), LATER)
    assert f"in no page; publish them again: {stack[0].filename}" in said[-1]
    other = gather([make_stack(tmp_path / "other", value="other")[0]])
    with pytest.raises(PublishError, match="was left by an interrupted run, and is another file"):
        index.add(other, LATER)
    index.add(stack, LATER)
    assert complete(index)


def test_a_lost_wheel_is_recognised_and_brought_back(
    index: IndexFolder, stack: tuple[Release, ...], said: list[str], tmp_path: Path
) -> None:
    first, _ = index.add(stack, NOW)
    (index.root / first.place).write_bytes(b"cut off")
    index.add(gather([make_wheel(tmp_path / "more", "demo", "1.0+lean.1")]), LATER)
    assert "absent or damaged" in said[-1]
    index.add(stack, LATER)
    assert (index.root / first.place).read_bytes() == stack[0].path.read_bytes()
    assert complete(index)


def test_a_killed_process_leaves_a_folder_that_the_next_completes(
    index: IndexFolder, stack: tuple[Release, ...], tmp_path: Path
) -> None:
    """SIGKILL in the middle of writing the second wheel: no cleaning up of any kind can run."""
    script = f"""
        import os, signal
        from datetime import UTC, datetime
        from pathlib import Path
        from spokeshave.publish import folder
        from spokeshave.publish.release import gather
        whole = folder._chunks
        def cut(release):
            for chunk in whole(release):
                yield chunk[:100]
                if release.project == "slim-openblas":
                    os.kill(os.getpid(), signal.SIGKILL)
                yield chunk[100:]
        folder._chunks = cut
        index = folder.IndexFolder(root=Path({str(index.root)!r}), say=print)
        index.add(gather([Path({str(tmp_path / "wheels")!r})]), datetime.now(UTC))
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=env, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = index.root.rglob(".*.tmp")
    assert is_temporary(left, stack[1].filename)
    assert (index.root / "simple/numpy" / stack[0].filename).is_file()
    assert not (index.root / "simple/slim-openblas" / stack[1].filename).exists()
    index.add(stack, NOW)
    assert complete(index)


def test_a_wheel_that_changes_meanwhile_is_not_published(
    index: IndexFolder, stack: tuple[Release, ...]
) -> None:
    stack[0].path.write_bytes(stack[0].path.read_bytes() + b"more")
    with pytest.raises(PublishError, match="changed while it was published"):
        index.add(stack, NOW)
    assert index.read() == ()
    assert not list(index.root.rglob("*.whl*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_refused(
    index: IndexFolder, stack: tuple[Release, ...]
) -> None:
    index.root.mkdir(mode=0o500)
    with pytest.raises(PublishError, match="cannot be written"):
        index.add(stack, NOW)
