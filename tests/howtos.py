"""The commands of docs/how-to/publish-and-install.md, and a folder to run them in beside a hostile index.

That index has higher versions of our names, files under our very labels, the name `slim-openblas`, and the
packages that ours need. Small wheels stand for the stack.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexing import Installer, Tools, free_port, running, wait_for
from releases import make_wheel
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.release import gather
from support import ROOT

ADDRESS = "http://127.0.0.1:8000/simple/"
PAGE = (ROOT / "docs" / "how-to" / "publish-and-install.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
STACK = {
    "numpy": "2.4.6",
    "scipy": "1.17.1",
    "pandas": "3.1.1",
    "scikit_learn": "1.9.1",
    "slim_openblas": "0.3.31",
}
NEEDS = {
    "numpy": ("slim-openblas==0.3.31+lean.1",),
    "scipy": ("slim-openblas==0.3.31+lean.1", "numpy>=1.26"),
    "pandas": ("numpy>=1.26", "python-dateutil>=2.8.2"),
    "scikit_learn": ("numpy>=1.24", "scipy>=1.10", "joblib>=1.4", "threadpoolctl>=3.5"),
    "python_dateutil": ("six>=1.5",),
    "app": ("numpy>=2", "pandas"),
}
OTHERS = {"joblib": "1.6.0", "threadpoolctl": "3.8.0", "python_dateutil": "4.0.0", "six": "1.17.0"}
OURS = {f"{name}=={version}+lean.1": "ours" for name, version in STACK.items()}
WHOLE = {**OURS, **{f"{name}=={version}": "public" for name, version in OTHERS.items()}}


def fenced(title: str, text: str = PAGE) -> list[tuple[str, str]]:
    """A section's fenced blocks: what they are, and their text."""
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    parts = re.split(r"^```(\w*)\n", section, flags=re.MULTILINE)
    return list(zip(parts[1::4], parts[2::4], strict=True))


def blocks(title: str, text: str = PAGE) -> list[list[str]]:
    """The commands of a section's fenced blocks."""
    return [block.strip().splitlines() for kind, block in fenced(title, text) if not kind]


(FIRST,) = blocks("Build, publish, install")
(PUBLISHED,) = blocks("The index")
INSTALLS = [*blocks("pip and uv"), *blocks("Without a public index")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shell:
    """A folder to run commands in, where `pip` and `uv` install into one venv, and the public index."""

    root: Path
    tools: Tools
    public: str
    address: str

    @property
    def installer(self) -> Installer:
        return Installer(name="pip", tools=self.tools, root=self.root)

    @contextmanager
    def serving(self, index: str, address: str) -> Iterator[str]:
        """Serves a folder with an index at an address, which it yields."""
        port = re.findall(r":(\d+)/", address)[0]
        argv = [str(self.root / "bin" / "spokeshave"), "serve", str(self.root / index), "--port", port]
        log = self.root / f"serve-{port}.log"
        with running(argv, log, **self.environment()) as process:
            wait_for(process, int(port), log)
            yield address

    def run(self, *lines: str) -> subprocess.CompletedProcess[str]:
        """The last of the commands to run, the first that fails where one does."""
        for line in lines:
            done = subprocess.run(
                ["bash", "-c", line.replace(ADDRESS, self.address)],
                env=self.environment(),
                cwd=self.root,
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            if done.returncode:
                break
        return done

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.root),
            "PYTHONPATH": str(ROOT / "builder"),
            "VIRTUAL_ENV": str(self.root / "venv"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_INDEX_URL": self.public,
            "UV_NO_CACHE": "1",
            "PDM_CHECK_UPDATE": "0",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_DEFAULT_INDEX": self.public,
        }


def fill(folder: Path, versions: dict[str, str], value: str, *, needs: bool = True) -> None:
    for name, version in versions.items():
        headers = tuple(f"Requires-Dist: {need}" for need in NEEDS.get(name, ())) if needs else ()
        make_wheel(folder, name, version, headers=headers, value=value)


def hostile(folder: Path) -> str:
    """The address of the hostile index."""
    wheels = folder / "wheels"
    fill(wheels, {**OTHERS, "app": "1.0"}, "public")
    fill(wheels, {name: f"{version}+lean.1" for name, version in STACK.items()}, "evil")
    fill(wheels, dict.fromkeys(STACK, "99.0"), "evil", needs=False)
    IndexFolder(root=folder / "index", say=print).add(gather([wheels]), datetime.now(UTC))
    return (folder / "index" / "simple").as_uri() + "/"


def local_address() -> str:
    """Of an index on a free port of this machine."""
    return f"http://127.0.0.1:{free_port()}/simple/"
