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
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from spokeshave.errors import EngineMissing
from spokeshave.inside.run import Command, Finished, run
from spokeshave.machine.containers import OLD_OWNER, RUN, Containers
from spokeshave.machine.owners import Cleared, own_folder, this_run
from support import ROOT, docker_fault, needs_compiler, wait_until
from together import needs_namespaces, output_of

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
from spokeshave.machine.containers import Containers
from spokeshave.inside.run import run
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


def create(image: str, owner: object, label: str = RUN) -> str:
    return docker("create", "--network", "none", "--label", f"{label}={owner}", image, "/program", "0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """The runner of commands, for which Docker has no containers but those of one image."""

    image: str

    def __call__(self, command: Command) -> Finished:
        if command.argv[:2] == ("docker", "ps"):
            command = replace(command, argv=(*command.argv, "--filter", f"ancestor={self.image}"))
        return run(command)


@pytest.mark.docker
@needs_compiler
def test_only_what_dead_runs_left_is_removed(image: str) -> None:
    """Among the containers of this test alone: others on this machine may be at work."""
    containers = Containers(runner=Own(image=image))
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    own = this_run("")
    gone = [
        create(image, replace(own, pid=child.pid)),
        create(image, replace(own, started="1")),  # our number, but of a process of another time
    ]
    unsure = [
        create(image, replace(own, boot="another")),
        create(image, replace(own, namespace="1")),
        create(image, "no owner at all"),
        create(image, f"{child.pid}:12345", OLD_OWNER),
    ]
    kept = [
        create(image, containers.labels()[0].partition("=")[2]),
        create(image, f"{own.pid}:{own.started}", OLD_OWNER),
        docker("create", image, "/program", "0"),
    ]
    try:
        assert containers.remove_orphans() == Cleared(removed=len(gone), left=len(unsure))
        assert present(*gone, *unsure, *kept) == {*unsure, *kept}
        assert containers.remove_orphans(unsure=True) == Cleared(removed=len(unsure))
        assert present(*gone, *unsure, *kept) == set(kept)
    finally:
        docker("rm", "--force", *left_of(image))


def present(*containers: str) -> set[str]:
    return set(docker("ps", "--all", "--quiet", "--no-trunc").split()) & set(containers)


CLEANER = """
import sys
from dataclasses import replace
from pathlib import Path
from spokeshave.machine.containers import Containers
from spokeshave.inside.run import run
image, logs = sys.argv[1], Path(sys.argv[2])
def ours(command):
    more = ("--filter", f"ancestor={image}") if command.argv[:2] == ("docker", "ps") else ()
    return run(replace(command, argv=(*command.argv, *more)))
print(Containers(runner=ours, logs=logs).remove_orphans())
"""


@pytest.mark.docker
@needs_compiler
@needs_namespaces
def test_a_cleaner_in_another_namespace_keeps_the_containers_of_a_live_run(
    image: str, tmp_path: Path
) -> None:
    """As a job of a CI in a container of its own, with the daemon's socket, with and without our cache."""
    try:
        with own_folder(tmp_path / "logs", "run") as logs:
            container = create(image, Containers(runner=run, logs=logs).labels()[0].partition("=")[2])
            for other, told in (("logs/run-x", Cleared()), ("elsewhere/run-x", Cleared(left=1))):
                assert output_of(CLEANER, image, tmp_path / other, namespace=True) == str(told)
            assert present(container) == {container}
        left = output_of(CLEANER, image, tmp_path / "elsewhere/run-x", namespace=True)
        assert left == str(Cleared(left=1)), "without our cache it cannot know that the run has ended"
        assert output_of(CLEANER, image, tmp_path / "logs/run-x", namespace=True) == str(Cleared(removed=1))
        assert present(container) == set()
    finally:
        if remaining := left_of(image):
            docker("rm", "--force", *remaining)


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
