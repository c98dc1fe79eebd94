"""A connection that breaks while wheels are uploaded to a real server: tried again, and never sent twice."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from indexing import Repository, Tools, pypiserver, spokeshave
from releases import make_wheel
from spokeshave.errors import NetworkError
from spokeshave.inside.run import run
from spokeshave.publish.release import gather
from spokeshave.publish.upload import Server

SILENCE = "silence-1.0+lean.1-py3-none-any.whl"
pytestmark = pytest.mark.network


@dataclass(kw_only=True)
class Wire:
    """A relay in front of a server. Each connection meets the next of `fates`, then all pass.

    `cut` closes it before the server sees anything, `deaf` lets the request through and swallows the answer,
    `silent` takes all and says nothing; a number is the status that answers in the server's place.
    """

    port: int
    fates: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def meet(self, client: socket.socket) -> None:
        fate = self.fates.pop(0) if self.fates else "pass"
        self.seen.append(fate)
        with client, contextlib.suppress(OSError):
            if fate == "cut":
                client.recv(1)
                return
            if fate == "silent":
                while client.recv(1 << 16):
                    pass
                return
            if fate.isdigit():
                _refuse(client, fate)
                return
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as server:
                up = threading.Thread(target=_relay, args=(client, server.sendall), daemon=True)
                up.start()
                _relay(server, client.sendall if fate == "pass" else lambda data: None, one=fate == "deaf")
                _close(client, server)


def _refuse(client: socket.socket, status: str) -> None:
    """Reads one request to its end and answers with a status alone."""
    with client.makefile("rb") as stream:
        headers = list(iter(stream.readline, b"\r\n"))
        length = next(
            int(line.split(b":")[1]) for line in headers if line.lower().startswith(b"content-length:")
        )
        stream.read(length)
    client.sendall(f"HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())


def _close(*sockets: socket.socket) -> None:
    """Ends connections at once; a mere `close` would wait for the thread that reads from them."""
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _relay(source: socket.socket, sink: Callable[[bytes], object], *, one: bool = False) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink(data)
            if one:
                return


@pytest.fixture(scope="module")
def server(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    with pypiserver(tools, tmp_path_factory.mktemp("wire") / "server") as made:
        yield made


@pytest.fixture
def wire(server: Repository) -> Iterator[tuple[Wire, Repository]]:
    """A wire to the server, and the server as uploads see it through that wire."""
    made = Wire(port=int(server.upload.rsplit(":", 1)[1].strip("/")))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=made.meet, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        port = listener.getsockname()[1]
        yield made, Repository(upload=f"http://127.0.0.1:{port}/", simple=server.simple)


def publish(
    wire: tuple[Wire, Repository], folder: Path, name: str, fates: list[str]
) -> tuple[Wire, subprocess.CompletedProcess[str]]:
    """Publishes one wheel through the wire, whose connections meet `fates`."""
    made, server = wire
    made.fates = fates
    wheel = make_wheel(folder / "w", name, "1.0+lean.1")
    words = ("publish", str(wheel), *server.options, "--json")
    return made, spokeshave(*words, cache=folder / "c", **server.env)


def test_a_connection_that_is_cut_is_tried_again(wire: tuple[Wire, Repository], tmp_path: Path) -> None:
    made, done = publish(wire, tmp_path, "cutonce", ["cut"])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["published"][0]["sent"]
    assert made.seen == ["cut", "pass"]
    assert "trying again" in done.stderr


@pytest.mark.parametrize("status", ["408", "425", "429"])
def test_a_server_that_asks_for_patience_is_asked_again(
    wire: tuple[Wire, Repository], tmp_path: Path, status: str
) -> None:
    made, done = publish(wire, tmp_path, f"patience{status}", [status])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["published"][0]["sent"]
    assert made.seen == [status, "pass"]
    assert f"HTTPError: {status}" in done.stderr and "trying again" in done.stderr


def test_a_server_in_trouble_is_asked_again(wire: tuple[Wire, Repository], tmp_path: Path) -> None:
    """twine itself asks five times after a status from 500 on: that is one attempt of ours."""
    made, done = publish(wire, tmp_path, "trouble", ["503"] * 6)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["published"][0]["sent"]
    assert made.seen == ["503"] * 6 + ["pass"]
    assert "trying again" in done.stderr


def test_a_server_that_stays_in_trouble_is_a_clear_error(
    wire: tuple[Wire, Repository], tmp_path: Path
) -> None:
    made, done = publish(wire, tmp_path, "broken", ["500"] * 99)
    assert done.returncode == 12, done.stderr
    assert "error: cannot upload broken-1.0+lean.1-py3-none-any.whl: HTTPError: 500" in done.stderr
    assert done.stderr.count("uploading") == 3
    assert set(made.seen) == {"500"}


def test_a_refusal_that_patience_does_not_mend_is_asked_once(
    wire: tuple[Wire, Repository], tmp_path: Path
) -> None:
    made, done = publish(wire, tmp_path, "toolarge", ["413"] * 9)
    assert done.returncode == 43, done.stderr
    assert "the server refused toolarge-1.0+lean.1-py3-none-any.whl: HTTPError: 413" in done.stderr
    assert made.seen == ["413"]


def test_of_several_wheels_what_has_arrived_is_not_sent_again(
    wire: tuple[Wire, Repository], tmp_path: Path
) -> None:
    made, server = wire
    made.fates = ["pass", *["cut"] * 3]
    for name in ("first", "second"):
        make_wheel(tmp_path / "w", name, "1.0+lean.1")
    words = ("publish", str(tmp_path / "w"), *server.options, "--json")
    done = spokeshave(*words, cache=tmp_path / "c", **server.env)
    assert done.returncode == 12, done.stderr
    assert "cannot upload second-1.0+lean.1" in done.stderr
    assert made.seen == ["pass", "cut", "cut", "cut"]
    again = spokeshave(*words, cache=tmp_path / "c", **server.env)
    assert again.returncode == 0, again.stderr
    assert [row["sent"] for row in json.loads(again.stdout)["published"]] == [False, True]


def test_a_wheel_whose_receipt_was_lost_is_not_sent_again(
    wire: tuple[Wire, Repository], tmp_path: Path
) -> None:
    made, done = publish(wire, tmp_path, "receipt", ["deaf"])
    assert done.returncode == 0, done.stderr
    assert made.seen == ["deaf"], "the server has it, as its page shows"
    assert "trying again" not in done.stderr


def test_a_server_that_never_answers_is_a_clear_error(wire: tuple[Wire, Repository], tmp_path: Path) -> None:
    made, done = publish(wire, tmp_path, "nowhere", ["cut"] * 9)
    assert done.returncode == 12, done.stderr
    assert "error: cannot upload nowhere-1.0+lean.1-py3-none-any.whl: " in done.stderr
    assert "what has arrived is not sent again" in done.stderr
    assert "Traceback" not in done.stderr
    assert made.seen == ["cut"] * 3
    assert done.stdout == ""


def test_a_server_that_keeps_silent_is_not_waited_for(
    wire: tuple[Wire, Repository], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, shown = wire
    made.fates = ["silent"] * 2
    for key, value in shown.env.items():
        monkeypatch.setenv(key, value)
    said: list[str] = []
    server = Server(
        target=("--repository-url", shown.upload),
        simple=shown.simple,
        runner=run,
        say=said.append,
        log=tmp_path / "upload.log",
        pauses=(0.0,),
        patience=1.0,
    )
    with pytest.raises(NetworkError, match=r"cannot upload silence-.*: no answer within 1 s"):
        server.upload(gather([make_wheel(tmp_path / "w", "silence", "1.0+lean.1")]))
    assert [text.split()[0] for text in said] == ["uploading", f"{SILENCE}:", "uploading"]
    assert server.log.is_file()


def test_no_server_at_all_is_a_clear_error(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "nowhere", "1.0+lean.1")
    options = ("--upload", "http://127.0.0.1:9/", "--simple", "http://team:secret@127.0.0.1:9/simple/")
    done = spokeshave("publish", str(wheel), *options, cache=tmp_path / "c")
    assert done.returncode == 12, done.stderr
    assert "cannot see what the server has" in done.stderr
    assert "secret" not in done.stderr
