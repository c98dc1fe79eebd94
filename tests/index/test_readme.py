"""The README's install commands, read from it and run as they are, with a hostile index as the default one.

That index has higher versions of our names, files under our very labels, the name `slim-openblas`, and the
packages that ours need. Small wheels stand for the stack.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexing import Installer, Tools, free_port, running, wait_for
from releases import make_wheel
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.release import gather
from support import ROOT
from venvs import target_python

pytestmark = pytest.mark.network
ADDRESS = "http://127.0.0.1:8000/simple/"
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


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def fenced(title: str) -> list[tuple[str, str]]:
    """A section's fenced blocks: what they are, and their text."""
    parts = re.split(r"^```(\w*)\n", section(title), flags=re.MULTILINE)
    return list(zip(parts[1::4], parts[2::4], strict=True))


def blocks(title: str) -> list[list[str]]:
    """The commands of a section's fenced blocks."""
    return [text.strip().splitlines() for kind, text in fenced(title) if not kind]


FIRST, PUBLISHED, *INSTALLS = (
    block
    for title in ("What you get", "Publish and install")
    for block in blocks(title)
    if "--upload" not in " ".join(block)  # that one is in test_servers.py
)


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


@pytest.fixture
def shell(tools: Tools, tmp_path: Path) -> Shell:
    """Our wheels in `wheelhouse`, verified, and a service's requirements."""
    fill(tmp_path / "wheelhouse", {name: f"{version}+lean.1" for name, version in STACK.items()}, "ours")
    (tmp_path / "requirements.txt").write_text("app\nnumpy\n")
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (tmp_path / "bin").mkdir()
    for name, argv in {
        "pip": f"{tools.program('pip')} --python {tmp_path}/venv/bin/python",
        "uv": tools.program("uv"),
        "spokeshave": f"{sys.executable} -m spokeshave --cache {tmp_path}/cache",
    }.items():
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec {argv} "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    address = f"http://127.0.0.1:{free_port()}/simple/"
    return Shell(root=tmp_path, tools=tools, public=hostile(tmp_path / "public"), address=address)


@pytest.fixture
def served(shell: Shell) -> Iterator[Shell]:
    """The index that the section begins with, published and served by its own commands."""
    publish, serve = PUBLISHED
    assert serve == "spokeshave serve index"
    done = shell.run(publish)
    assert done.returncode == 0, done.stderr
    port = re.findall(r":(\d+)/", shell.address)[0]
    argv = [str(shell.root / "bin" / "spokeshave"), "serve", str(shell.root / "index"), "--port", port]
    log = shell.root / "serve.log"
    with running(argv, log, **shell.environment()) as process:
        wait_for(process, int(port), log)
        yield shell


def test_readme_wheelhouse_install_by_uv_takes_nothing_from_a_hostile_index(shell: Shell) -> None:
    """The README says that uv takes the words of the pip commands there."""
    (commands,) = (block for block in INSTALLS if "--lock wheelhouse" in block[0])
    done = shell.run(*(line.replace("pip install", "uv pip install") for line in commands))
    assert done.returncode == 0, done.stderr
    assert shell.installer.got() == {**WHOLE, "app==1.0": "public"}


def test_readme_first_install_takes_our_wheels_by_hash(shell: Shell) -> None:
    build, verify, *rest = FIRST
    assert (build, verify) == (
        "spokeshave build --all --profile lean",
        "spokeshave verify wheelhouse/*+lean*.whl --level smoke",
    )
    done = shell.run(*rest)
    assert done.returncode == 0, done.stderr
    assert shell.installer.got() == WHOLE


@pytest.mark.parametrize("commands", INSTALLS, ids=lambda commands: commands[-1][:60])
def test_readme_install_takes_nothing_from_a_hostile_index(served: Shell, commands: list[str]) -> None:
    done = served.run(*commands)
    assert done.returncode == 0, done.stderr
    app = {"app==1.0": "public"} if "requirements.txt" in commands[-1] else {}
    assert served.installer.got() == {**WHOLE, **app}


@pytest.mark.parametrize(
    "command",
    [
        "pip install --find-links wheelhouse numpy==2.4.6+lean.1",
        "pip install --find-links wheelhouse -c index/pins.txt numpy",
        f"pip install --index-url {ADDRESS} --extra-index-url $PIP_INDEX_URL numpy==2.4.6+lean.1",
        f"uv pip install --default-index {ADDRESS} --index $PIP_INDEX_URL numpy==2.4.6+lean.1",
        "uv pip install --find-links wheelhouse numpy",
    ],
)
def test_readme_install_that_it_warns_of_takes_another_file(served: Shell, command: str) -> None:
    done = served.run(command)
    assert done.returncode == 0, done.stderr
    assert "evil" in served.installer.got().values()


def project(shell: Shell, *, address: str) -> Path:
    """The README's pyproject.toml, as it is but for the address of our index."""
    (text,) = (text for kind, text in fenced("Publish and install") if kind == "toml")
    assert ADDRESS in text
    folder = shell.root / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(text.replace(ADDRESS, address))
    return folder


def uv(shell: Shell, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    python = target_python()
    line = f"uv {' '.join(words)} --project {folder} --python {python}"
    return shell.run(f"UV_PROJECT_ENVIRONMENT={shell.root}/venv {line}")


def test_readme_uv_project_takes_nothing_from_a_hostile_index(served: Shell) -> None:
    folder = project(served, address=served.address)
    done = uv(served, folder, "sync")
    assert done.returncode == 0, done.stderr
    assert served.installer.got() == WHOLE


def test_readme_uv_project_names_one_of_two_profiles(served: Shell) -> None:
    """By the two requirements of the README's sentence; without them, uv takes the higher label."""
    fill(served.root / "other", {"numpy": "2.4.6+sklearn.1"}, "sklearn")
    done = served.run("spokeshave publish other --to index")
    assert done.returncode == 0, done.stderr
    folder = project(served, address=served.address)
    text = (folder / "pyproject.toml").read_text()
    words = " ".join(section("Publish and install").split())
    pair = re.findall(r"`(\"numpy==[^`]*)`", words)
    assert len(pair) == 2
    assert uv(served, folder, "sync").returncode == 0
    assert served.installer.got()["numpy==2.4.6+sklearn.1"] == "sklearn"
    (folder / "pyproject.toml").write_text(text.replace('"numpy==2.4.6"', ", ".join(pair)))
    done = uv(served, folder, "sync")
    assert done.returncode == 0, done.stderr
    assert served.installer.got() == WHOLE


def test_readme_uv_project_without_the_direct_dependency_takes_another_blas(served: Shell) -> None:
    folder = project(served, address=served.address)
    text = (folder / "pyproject.toml").read_text()
    line = "    \"slim-openblas; sys_platform == 'linux'\",\n"
    assert line in text
    (folder / "pyproject.toml").write_text(text.replace(line, ""))
    done = uv(served, folder, "sync")
    assert done.returncode == 0, done.stderr
    assert served.installer.got()["slim_openblas==0.3.31+lean.1"] == "evil"


def test_readme_uv_project_resolves_on_macos_to_the_public_wheels(served: Shell) -> None:
    wheels = served.root / "stock"
    fill(
        wheels,
        {**OTHERS, **{name: STACK[name] for name in STACK if name != "slim_openblas"}},
        "stock",
        needs=False,
    )
    index = IndexFolder(root=served.root / "stockindex", say=print)
    index.add(gather([wheels]), datetime.now(UTC))
    shell = Shell(
        root=served.root,
        tools=served.tools,
        public=(index.root / "simple").as_uri() + "/",
        address=served.address,
    )
    folder = project(shell, address=shell.address)
    done = uv(shell, folder, "lock")
    assert done.returncode == 0, done.stderr
    told = {}
    for platform in ("aarch64-apple-darwin", "x86_64-unknown-linux-gnu"):
        done = uv(shell, folder, "tree", "--locked", "--python-platform", platform)
        assert done.returncode == 0, done.stderr
        told[platform] = set(re.findall(r"(\S+) v(\S+)", done.stdout)) - {("service", "1")}
    dashed = {name.replace("_", "-"): version for name, version in STACK.items()}
    assert told["aarch64-apple-darwin"] == {row for row in dashed.items() if row[0] != "slim-openblas"}
    assert told["x86_64-unknown-linux-gnu"] >= {
        (name, f"{version}+lean.1") for name, version in dashed.items()
    }
