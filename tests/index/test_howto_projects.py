"""The uv, poetry and pdm projects of docs/how-to/publish-and-install.md, beside a hostile default index."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from howtos import ADDRESS, OTHERS, PAGE, STACK, WHOLE, Shell, fenced, fill, local_address
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.release import gather
from venvs import kept_venv, target_python

pytestmark = pytest.mark.network
POETRY = ("poetry>=2.1,<3",)
PDM = ("pdm>=2.25,<3", "hishel<2")  # pdm 2.29.4 does not start with hishel 2


def project(shell: Shell, *, address: str, title: str = "A uv project") -> Path:
    """The page's pyproject.toml, as it is but for the address of our index."""
    (text,) = (text for kind, text in fenced(title) if kind == "toml")
    assert ADDRESS in text
    folder = shell.root / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(text.replace(ADDRESS, address))
    return folder


def uv(shell: Shell, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    python = target_python()
    line = f"uv {' '.join(words)} --project {folder} --python {python}"
    return shell.run(f"UV_PROJECT_ENVIRONMENT={shell.root}/venv {line}")


def test_howto_uv_project_takes_nothing_from_a_hostile_index(served: Shell) -> None:
    folder = project(served, address=served.address)
    done = uv(served, folder, "sync")
    assert done.returncode == 0, done.stderr
    assert served.installer.got() == WHOLE


def test_howto_uv_project_names_one_of_two_profiles(served: Shell) -> None:
    """By the two requirements of the page's sentence; without them, uv takes the higher label."""
    fill(served.root / "other", {"numpy": "2.4.6+sklearn.1"}, "sklearn")
    done = served.run("spokeshave publish other --to index")
    assert done.returncode == 0, done.stderr
    folder = project(served, address=served.address)
    text = (folder / "pyproject.toml").read_text()
    words = " ".join(PAGE.split())
    pair = re.findall(r"`(\"numpy==[^`]*)`", words)
    assert len(pair) == 2
    assert uv(served, folder, "sync").returncode == 0
    assert served.installer.got()["numpy==2.4.6+sklearn.1"] == "sklearn"
    (folder / "pyproject.toml").write_text(text.replace('"numpy==2.4.6"', ", ".join(pair)))
    done = uv(served, folder, "sync")
    assert done.returncode == 0, done.stderr
    assert served.installer.got() == WHOLE


def test_howto_uv_project_without_the_direct_dependency_takes_another_blas(served: Shell) -> None:
    folder = project(served, address=served.address)
    text = (folder / "pyproject.toml").read_text()
    line = "    \"slim-openblas; sys_platform == 'linux'\",\n"
    assert line in text
    (folder / "pyproject.toml").write_text(text.replace(line, ""))
    done = uv(served, folder, "sync")
    assert done.returncode == 0, done.stderr
    assert served.installer.got()["slim_openblas==0.3.31+lean.1"] == "evil"


def test_howto_uv_project_resolves_on_macos_to_the_public_wheels(served: Shell) -> None:
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


@pytest.fixture
def public(served: Shell) -> Iterator[str]:
    """The hostile index over HTTP, for poetry reads no `file:` address; the venv is of the wheels' Python."""
    shutil.rmtree(served.root / "venv")
    subprocess.run([target_python(), "-m", "venv", "--without-pip", str(served.root / "venv")], check=True)
    with served.serving("public/index", local_address()) as address:
        yield address


def test_howto_poetry_project_takes_nothing_from_a_hostile_index(served: Shell, public: str) -> None:
    poetry = kept_venv("poetry", sys.executable, POETRY) / "bin" / "poetry"
    folder = project(served, address=served.address, title="A poetry project")
    with (folder / "pyproject.toml").open("a") as file:  # instead of PyPI, which poetry knows by itself
        file.write(f'\n[[tool.poetry.source]]\nname = "public"\nurl = "{public}"\npriority = "primary"\n')
    done = served.run(*(f"{poetry} {word} --project {folder} --no-interaction" for word in ("lock", "sync")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert served.installer.got() == WHOLE


def test_howto_poetry_project_without_the_assignment_takes_another_file(served: Shell, public: str) -> None:
    poetry = kept_venv("poetry", sys.executable, POETRY) / "bin" / "poetry"
    folder = project(served, address=served.address, title="A poetry project")
    path = folder / "pyproject.toml"
    line = 'slim-openblas = { source = "slim" }\n'
    assert line in path.read_text()
    text = path.read_text().replace(line, "")
    path.write_text(
        f'{text}\n[[tool.poetry.source]]\nname = "public"\nurl = "{public}"\npriority = "primary"\n'
    )
    done = served.run(*(f"{poetry} {word} --project {folder} --no-interaction" for word in ("lock", "sync")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert served.installer.got()["slim_openblas==0.3.31+lean.1"] == "evil"


def pdm(shell: Shell, folder: Path, public: str) -> subprocess.CompletedProcess[str]:
    program = kept_venv("pdm", sys.executable, PDM) / "bin" / "pdm"
    return shell.run(
        *(f"PDM_PYPI_URL={public} {program} {word} --project {folder}" for word in ("lock", "sync"))
    )


def test_howto_pdm_project_takes_nothing_from_a_hostile_index(served: Shell, public: str) -> None:
    folder = project(served, address=served.address, title="A pdm project")
    done = pdm(served, folder, public)
    assert done.returncode == 0, done.stdout + done.stderr
    assert served.installer.got() == WHOLE


def test_howto_pdm_project_without_include_packages_takes_another_file(served: Shell, public: str) -> None:
    folder = project(served, address=served.address, title="A pdm project")
    path = folder / "pyproject.toml"
    lines = [
        row for row in path.read_text().splitlines() if not row.startswith(("include_packages", "respect-"))
    ]
    path.write_text("\n".join(lines) + "\n")
    done = pdm(served, folder, public)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "evil" in served.installer.got().values()
