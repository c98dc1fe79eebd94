"""Programs under the real recorder: a small package of two watched modules, and the Pythons to try."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from spokeshave.trace.inject import Watch
from spokeshave.trace.record import Lines

FILES = {
    "alpha/__init__.py": "from alpha import eager\n",
    "alpha/eager.py": "def decorate(f):\n    return f\n\n\n@decorate\ndef work():\n    return 1\n",
    "alpha/late.py": "VALUE = 2\n",
    "alpha/user.py": "from alpha.eager import work\n\n\ndef go():\n    import alpha.late\n    work()\n",
    "alpha/read.py": "import pathlib\npathlib.Path(__file__).with_name('table.csv').read_text()\n",
    "alpha/table.csv": "1,2\n",
    "alpha/gone.py": "",
    "alpha/lazy.py": "",
}
WATCH = Watch(packages=("alpha",), modules=("alpha.eager", "alpha.late"))
Trace = Callable[..., tuple[int, Lines]]


def pythons() -> list[str]:
    """This one, and one that has sys.monitoring where this one has not."""
    newer = [name for name in ("python3.12", "python3.13", "python3.14") if _runs(name)]
    return [sys.executable, *(newer[:1] if sys.version_info < (3, 12) else [])]


def _runs(name: str) -> bool:
    argv = [name, "-c", f"import sys; assert '{name}'.endswith('%d.%d' % sys.version_info[:2])"]
    return (
        shutil.which(name) is not None
        and not subprocess.run(argv, capture_output=True, check=False).returncode
    )


def write_package(site: Path) -> None:
    """The files of the package."""
    for name, text in FILES.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def loaded(lines: Lines) -> set[str]:
    """The modules that a run has loaded."""
    return {load.module for load in lines.loads}


def used(lines: Lines) -> set[tuple[str, str]]:
    """The modules that a run has used, and by whom."""
    return {(use.module, use.user) for use in lines.uses}
