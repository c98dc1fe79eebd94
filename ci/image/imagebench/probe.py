"""Runs inside a container: starts a server, waits until it is healthy, reads its memory, puts it to work.

    python probe.py PORT COMMAND...

Prints one line of JSON: seconds from the start to the first healthy answer, and resident bytes then and after
work. Standard library only.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path

_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.002
_THEMES = {
    "sea": "The {n} boats of the harbour wait for wind and tide while sailors mend sails and watch waves. ",
    "bread": "Flour, water and yeast rest for {n} hours until the baker shapes loaves for a hot oven. ",
    "stars": "A telescope follows {n} planets and a comet across the sky, and astronomers compute orbits. ",
}
_WORK = (
    "/themes?count=3",
    "/similar?q=sailors+in+the+wind",
    "/figures",
)


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    """One request on loopback: the answer's status and body; raises OSError where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_until_healthy(port: int, server: subprocess.Popen[bytes]) -> None:
    """Asks until the answer is good; raises RuntimeError where the server ends or takes too long."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if ask(port, "GET", "/health")[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"no healthy answer in {_PATIENCE_SECONDS:.0f} s")


def work(port: int) -> None:
    """Hands in books and asks every question; raises RuntimeError at an answer that is not good."""
    for theme, sentence in _THEMES.items():
        for volume in range(4):
            text = "".join(sentence.format(n=n + volume) for n in range(40))
            _good(*ask(port, "POST", "/books", {"title": f"{theme} {volume}", "text": text}))
    for path in _WORK:
        _good(*ask(port, "GET", path))
    _good(*ask(port, "POST", "/page", {"text": "# Sea\n\n- wind\n- tide\n"}))
    _good(*ask(port, "POST", "/code", {"text": "print(1)", "language": "python"}))
    _good(*ask(port, "POST", "/hyphens", {"text": "hyphenation", "language": "en"}))


def _good(status: int, body: bytes) -> None:
    if status >= 300:
        raise RuntimeError(f"answer {status}: {body.decode(errors='replace')}")


def memory(pid: int) -> dict[str, int]:
    """Bytes of a process: `rss`, all that is resident, and `pss`, with shared pages counted by share."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]:
        name, _, rest = line.partition(":")
        fields[name] = int(rest.split()[0]) * 1024
    return {"rss": fields["Rss"], "pss": fields["Pss"]}


def main(port: int, command: list[str]) -> dict[str, object]:
    """Starts the command, measures it and ends it."""
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until_healthy(port, server)
            seconds = time.monotonic() - started
            idle = memory(server.pid)
            work(port)
            return {"seconds": seconds, "idle": idle, "worked": memory(server.pid)}
        finally:
            server.terminate()


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), sys.argv[2:])))
