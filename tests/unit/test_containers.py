"""Containers through a real Docker: files in and out by copy, no network, nothing left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from spokeshave.containers import OWNER, Containers, owner_labels
from spokeshave.errors import EngineMissing
from spokeshave.run import run
from support import ROOT, docker_fault, needs_compiler, wait_until

CONTAINERS = Containers(runner=run)
PROGRAM = r"""
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int count, char **words) {
    struct dirent *entry;
    DIR *folder = opendir("/sys/class/net");
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.') printf("net %s\n", entry->d_name);
    printf("word %s\n", getenv("WORD") ? getenv("WORD") : "none");
    fflush(stdout);
    char text[100] = "";
    FILE *in = fopen("/in/a.txt", "r"), *out;
    if (in) fgets(text, sizeof text, in);
    if (!strcmp(words[1], "wait")) for (;;) pause();
    if ((out = fopen("/out/b.txt", "w"))) { fprintf(out, "got %s", text); fclose(out); }
    return atoi(words[1]);
}
"""


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image of one static program, made in a second and removed after."""
    if fault := docker_fault():
        pytest.skip(fault)
    folder = tmp_path_factory.mktemp("image")
    (folder / "program.c").write_text(PROGRAM)
    argv = ["gcc", "-O1", "-static", "-w", "program.c", "-o", "program"]
    subprocess.run(argv, cwd=folder, check=True)
    reference = f"spokeshave-test:{uuid.uuid4().hex[:12]}"
    with tarfile.open(folder / "root.tar", "w") as tar:
        tar.add(folder / "program", "program")
        for name in ("in", "out", "tmp"):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE
            info.mode = 0o777
            tar.addfile(info, io.BytesIO())
    docker("import", str(folder / "root.tar"), reference)
    yield reference
    docker("rmi", "--force", reference)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("this")
    return tmp_path / "in"


def left_of(image: str) -> list[str]:
    return docker("ps", "--all", "--quiet", "--filter", f"ancestor={image}").split()


@pytest.mark.docker
@needs_compiler
def test_files_go_in_and_out_without_network(image: str, given: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    done = CONTAINERS.run(
        image=image,
        folders={given: "/in"},
        argv=("/program", "0"),
        collect={"/out": tmp_path / "out"},
        log=tmp_path / "run.log",
        on_line=seen.append,
        env={"WORD": "given"},
    )
    assert done.ok, done.output
    assert (tmp_path / "out" / "b.txt").read_text() == "got this"
    assert seen == ["net lo", "word given"]
    assert (tmp_path / "run.log").read_text() == "net lo\nword given\n"
    assert left_of(image) == []


@pytest.mark.docker
@needs_compiler
def test_results_come_out_after_a_failure_too(image: str, given: Path, tmp_path: Path) -> None:
    done = CONTAINERS.run(
        image=image,
        folders={given: "/in"},
        argv=("/program", "3"),
        collect={"/out": tmp_path / "out", "/nowhere": tmp_path / "nowhere"},
        log=tmp_path / "run.log",
    )
    assert done.returncode == 3
    assert (tmp_path / "out" / "b.txt").read_text() == "got this"
    assert left_of(image) == []


DRIVER = """
import sys
from pathlib import Path
from spokeshave.containers import Containers
from spokeshave.run import run
image, log = sys.argv[1], Path(sys.argv[2])
Containers(runner=run).run(image=image, folders={}, argv=("/program", "wait"), collect={}, log=log)
"""


@pytest.mark.docker
@needs_compiler
def test_an_interrupt_removes_the_container(image: str, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "builder")}
    argv = [sys.executable, "-c", DRIVER, image, str(tmp_path / "run.log")]
    process = subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL)
    try:
        log = tmp_path / "run.log"
        wait_until("the container runs", lambda: log.is_file() and "word none" in log.read_text())
        assert len(left_of(image)) == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
        assert left_of(image) == []
    finally:
        process.kill()


def create(image: str, owner: str) -> str:
    return docker("create", "--network", "none", "--label", f"{OWNER}={owner}", image, "/program", "0")


@pytest.mark.docker
@needs_compiler
def test_only_what_dead_runs_left_is_removed(image: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    own = owner_labels()[0].partition("=")[2]
    gone = [
        create(image, f"{child.pid}:12345"),
        create(image, f"{os.getpid()}:1"),  # our number, but of a process that started at another time
        create(image, "no owner at all"),
    ]
    kept = [create(image, own), docker("create", image, "/program", "0")]
    try:
        assert CONTAINERS.remove_orphans() >= len(gone)
        assert set(docker("ps", "--all", "--quiet", "--no-trunc").split()) & {*gone, *kept} == set(kept)
    finally:
        docker("rm", "--force", *left_of(image))


@pytest.mark.docker
@needs_compiler
def test_the_daemon_and_its_images_are_asked(image: str) -> None:
    assert CONTAINERS.probe()[0].isdigit()
    assert str(CONTAINERS.image_id(image)).startswith("sha256:")
    assert CONTAINERS.image_id("spokeshave-test:never-made") is None


def test_a_daemon_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(EngineMissing) as caught:
        CONTAINERS.probe()
    assert "--engine host" in caught.value.next_step


def test_a_client_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="Docker is not installed"):
        CONTAINERS.probe()


def test_a_daemon_that_refuses_us_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The words are those of the docker client; as root no real daemon can be made to refuse."""
    from spokeshave.errors import EngineDenied

    script = tmp_path / "docker"
    words = (
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
    )
    script.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EngineDenied) as caught:
        CONTAINERS.probe()
    assert caught.value.exit_code == 21
    assert "usermod" in caught.value.next_step
