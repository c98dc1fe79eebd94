"""Our own sdist and wheel: content, version, and the wheel at work in a new virtual environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from ownwheel import build_sdist, build_wheel, unpack_sdist
from spokeshave import __version__
from support import ROOT, needs_compiler

IN_SDIST = {
    *("builder", "recipes", "tests", "ci", "docs"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
    *("pyproject.toml", ".gitignore", ".github", ".pre-commit-config.yaml", ".shellcheckrc"),
}


def content(folder: Path) -> dict[str, bytes]:
    """Each file below a folder, but for bytecode."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    return unpack_sdist(build_sdist(folder / "dist"), folder)


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the sdist."""
    return build_wheel(source, tmp_path_factory.mktemp("wheel"))


def output(argv: list[str], folder: Path, **variables: str) -> str:
    """What a command writes to stdout."""
    environment = os.environ | variables
    return subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


def installed(wheel: Path, folder: Path) -> Path:
    """The bin folder of a new virtual environment with the wheel; its requirements are those of this one."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-P", "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # Processed after the environment's own packages; the editable install's .pth in that folder is not read.
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_sdist_has_what_a_check_needs_and_nothing_else(source: Path) -> None:
    expected = {name for name in IN_SDIST if (ROOT / name).exists()}
    assert {path.name for path in source.iterdir()} == {*expected, "PKG-INFO"}
    for folder in ("builder", "recipes", "tests", "ci"):
        assert content(source / folder) == content(ROOT / folder)


def test_wheel_has_all_of_the_package_and_the_recipes(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}
    package = {f"spokeshave/{name}": data for name, data in content(ROOT / "builder" / "spokeshave").items()}
    recipes = {f"spokeshave/recipes_data/{name}": data for name, data in content(ROOT / "recipes").items()}
    assert inside == package | recipes
    assert inside["spokeshave/py.typed"] == b""


def test_version_changed_in_the_package_changes_the_wheel(source: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "recipes"):
        (changed / name).symlink_to(source / name)
    package = changed / "builder" / "spokeshave"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "98.7.6"\n')
    assert build_wheel(changed, tmp_path / "dist").name == "spokeshave-98.7.6-py3-none-any.whl"


@needs_compiler
def test_wheel_installed_alone_prints_its_version_and_plans_numpy(wheel: Path, tmp_path: Path) -> None:
    programs = installed(wheel, tmp_path / "venv")
    command = str(programs / "spokeshave")
    assert output([command, "--version"], tmp_path) == f"spokeshave, version {__version__}\n"
    words = ["plan", "numpy", "--engine", "host"]
    plan = output([command, *words], tmp_path)
    assert re.findall(r"^(\S+) \S+\+lean\.1 for ", plan, re.MULTILINE) == ["slim-openblas", "numpy"]
    checkout = [str(programs / "python"), "-m", "spokeshave", *words]
    assert plan == output(checkout, ROOT, PYTHONPATH=str(ROOT / "builder"))  # the digests, too
