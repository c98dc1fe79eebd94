"""Commands of spokeshave that begin at the same moment, and programs in other PID namespaces."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from support import ROOT, wait_until

# Has all modules loaded before it says that it is ready, so that the commands meet at their files.
_WAITING = """
import sys, time
from pathlib import Path
from spokeshave.cli import main
ready, go = map(Path, sys.argv[1:3])
del sys.argv[1:3]
ready.touch()
while not go.exists():
    time.sleep(0.001)
main()
"""
NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc")


def run_together(
    folder: Path, commands: Sequence[Sequence[str]], *, site: Path | None = None
) -> list[subprocess.CompletedProcess[str]]:
    """Runs commands of spokeshave in a folder, from the same moment on; `site` has more modules."""
    gate, modules = folder / "gate", [ROOT / "builder", *([site] if site else [])]
    gate.mkdir()
    ready = [gate / str(number) for number in range(len(commands))]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _WAITING, str(mark), str(gate / "go"), *words],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, modules)),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for mark, words in zip(ready, commands, strict=True)
    ]
    try:
        wait_until("all are ready", lambda: all(mark.exists() for mark in ready))
        (gate / "go").touch()
        outputs = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [
        subprocess.CompletedProcess(process.args, process.returncode, out, err)
        for process, (out, err) in zip(processes, outputs, strict=True)
    ]


def python(code: str, *words: object, namespace: bool = False) -> subprocess.Popen[str]:
    """Starts a Python program that can import spokeshave, in this PID namespace or in a new one."""
    return subprocess.Popen(
        [*(NAMESPACE if namespace else ()), sys.executable, "-c", code, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "builder")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def output_of(code: str, *words: object, namespace: bool = False) -> str:
    """What such a program prints."""
    process = python(code, *words, namespace=namespace)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.strip()


def namespace_fault() -> str:
    """Why no test can make a PID namespace; empty where one can."""
    if not shutil.which("unshare"):
        return "no unshare command"
    done = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no PID namespace can be made: {done.stderr.strip()}"


needs_namespaces = pytest.mark.skipif(bool(namespace_fault()), reason=namespace_fault() or "-")


def names(folder: Path) -> Iterable[str]:
    """All files below a folder, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
