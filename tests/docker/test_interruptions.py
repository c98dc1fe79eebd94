"""Ctrl-C, SIGTERM, SIGKILL and two at once, in the middle of a real build: nothing is left behind."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shaveling import MESON
from smallproject import ENGINES, Small, Started, engine_fault, processes
from support import wait_until


@pytest.fixture(params=ENGINES)
def small(request: pytest.FixtureRequest, tmp_path: Path, shared_cache: Path) -> Small:
    if fault := engine_fault(request.param):
        pytest.skip(fault)
    return Small(folder=tmp_path, cache=shared_cache, engine=request.param)


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all, with the objects that the first build has compiled."""
    return tmp_path_factory.mktemp("interruptions") / "cache"


def slow(small: Small) -> str:
    """Makes the project's compile sleep; returns the argument by which that process is known."""
    word = f"600.{uuid.uuid4().int % 10**12:012}"
    target = (
        f"custom_target('slow', output: 'slow.txt', command: ['sleep', '{word}'], build_by_default: true)\n"
    )
    small.write({"meson.build": MESON + target})
    return word


@pytest.fixture
def started(small: Small) -> Iterator[tuple[Started, str]]:
    """A build that is in the middle of its compile."""
    word = slow(small)
    run = small.start_build()
    try:
        wait_until(
            "the compile is under way",
            lambda: bool(processes(word)) or run.process.poll() is not None,
            600,  # the build image may have to be made first
        )
        assert run.process.poll() is None, run.stderr
        yield run, word
    finally:
        run.stop()


def nothing_left(run: Started, word: str, small: Small) -> bool:
    return not processes(word) and (small.engine == "host" or not run.containers())


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(small: Small, started: tuple[Started, str], sig: signal.Signals) -> None:
    run, word = started
    if small.engine == "docker":
        assert len(run.containers()) == 1
    run.process.send_signal(sig)
    ended = run.end()
    assert ended.code == 130, ended.stderr
    assert "error: interrupted" in ended.stderr
    assert "next: run the same command again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert nothing_left(run, word, small)
    assert small.scratch == []
    assert not (small.folder / "out").exists()


def test_a_killed_run_leaves_no_container(small: Small, started: tuple[Started, str]) -> None:
    run, word = started
    run.process.kill()
    run.process.wait(60)
    wait_until("containers and compile are gone", lambda: nothing_left(run, word, small))
    assert len(small.scratch) == 1
    assert small.start("plan", "shaveling", "--profile", "tiny", "--engine", small.engine).end().code == 0
    assert small.scratch == [], "the next run clears what the killed one left"


def test_of_two_builds_of_one_plan_one_waits_and_takes_the_others(small: Small) -> None:
    small.write({"shaveling/api.h": f"#define ONLY_HERE {uuid.uuid4().int}\n"})
    one = small.start_build()
    try:
        wait_until("the first builds", lambda: "compiling shaveling" in one.stderr, 600)
        two = small.start_build()
        try:
            wait_until("the second waits", lambda: "waiting for it" in two.stderr)
            ended = [one.end(), two.end()]
        finally:
            two.stop()
    finally:
        one.stop()
    assert [run.built["cached"] for run in ended] == [False, True]
    assert ended[0].built["digest"] == ended[1].built["digest"]
    assert "compiling shaveling" not in ended[1].stderr
    assert small.scratch == []
