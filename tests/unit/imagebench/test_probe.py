"""The probe starts a real server, a small one of the standard library's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from imagebench import probe

SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
books = 0
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200)
    def do_POST(self):
        global books
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        books += "title" in body
        self.answer(500 if sys.argv[2] == "broken" else 201)
    def answer(self, status):
        self.send_response(status)
        self.end_headers()
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_it_measures_a_server_that_works(port: int) -> None:
    command = [sys.executable, "-c", SERVER, str(port), "works"]
    done = subprocess.run(
        [sys.executable, str(Path(probe.__file__)), str(port), *command],
        check=True,
        capture_output=True,
        text=True,
    )
    told = json.loads(done.stdout)
    assert told["seconds"] > 0
    for moment in ("idle", "worked"):
        assert 1_000_000 < told[moment]["pss"] <= told[moment]["rss"]


def test_a_server_that_fails_at_work_is_a_fault(port: int) -> None:
    with pytest.raises(RuntimeError, match="answer 500"):
        probe.main(port, [sys.executable, "-c", SERVER, str(port), "broken"])


def test_a_server_that_ends_is_a_fault(port: int) -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        probe.main(port, [sys.executable, "-c", "raise SystemExit(3)"])


def test_memory_is_that_of_the_process() -> None:
    assert probe.memory(os.getpid())["rss"] > 5_000_000
