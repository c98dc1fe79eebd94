"""A server on this machine: its pages, its scripts, its settings and its checks."""

from __future__ import annotations

import re


def server() -> object:
    """Pages of a running server, without what differs in each run, and the size of each script."""
    import os
    import subprocess
    import sys
    import tempfile
    import time
    import urllib.request
    from pathlib import Path

    port = "18888"
    with tempfile.TemporaryDirectory() as folder:
        words = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            f"--port={port}",
            "--ServerApp.port_retries=0",
        ]
        words += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", "--allow-root"]
        environment = {**os.environ, "JUPYTER_RUNTIME_DIR": folder, "HOME": folder}
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        try:
            base = f"http://127.0.0.1:{port}"
            for _ in range(240):
                try:
                    page = urllib.request.urlopen(f"{base}/lab", timeout=30).read().decode()
                    break
                except OSError:
                    time.sleep(1)
            else:
                raise RuntimeError(Path(folder, "log").read_text()[-1500:])
            scripts = sorted(set(re.findall(r'src="(/static/lab/[^"?]+)', page)))
            sizes = {one: len(urllib.request.urlopen(f"{base}{one}", timeout=60).read()) for one in scripts}
            settings = urllib.request.urlopen(f"{base}/lab/api/settings", timeout=120).read()
            names = sorted(set(re.findall(rb'"id": ?"([^"]+)"', settings)))
            return [sizes, [name.decode() for name in names], len(settings) > 1000]
        finally:
            process.terminate()
            process.wait(60)
