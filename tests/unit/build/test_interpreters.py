"""Interpreters: a name on PATH is believed when it has run and said what it is."""

from __future__ import annotations

import os
import platform
import re
import sys
import sysconfig
from pathlib import Path

import pytest

from spokeshave.build import pipeline
from spokeshave.build.pythons import buildable, known_pythons
from spokeshave.errors import EngineMissing
from spokeshave.inside.model import Target
from spokeshave.inside.run import run
from spokeshave.machine.toolchain import find_python, host_versions, missing_tools
from spokeshave.machine.venvs import find_interpreter
from support import make_context

OTHER = Target(python="cp315" if sys.version_info[1] != 15 else "cp314")
NAME = f"python{OTHER.python_version}"
SHIM = f'#!/bin/sh\necho "pyenv: {NAME}: command not found" >&2\nexit 127\n'
OLDER = f'#!/bin/sh\nexec {sys.executable} "$@"\n'


def on_path(folder: Path, text: str) -> str:
    """A folder for PATH with a script in the other Python's name."""
    folder.mkdir()
    (folder / NAME).write_text(text)
    (folder / NAME).chmod(0o755)
    return str(folder)


def test_find_interpreter_a_shim_without_its_python_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", on_path(tmp_path / "shims", SHIM))
    with pytest.raises(EngineMissing) as caught:
        find_interpreter(OTHER, "the race")
    assert f"the race needs Python {OTHER.python_version}, {tmp_path}/shims/{NAME} cannot be run" in str(
        caught.value
    )
    assert "exit code 127: pyenv" in str(caught.value)


def test_find_interpreter_one_of_another_version_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", on_path(tmp_path / "bin", OLDER))
    with pytest.raises(EngineMissing, match=rf"is cpython 3\.{sys.version_info[1]}"):
        find_interpreter(OTHER, "the race")


def test_find_interpreter_the_one_behind_a_shim_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = f"#!/bin/sh\nprintf 'cpython\\n{OTHER.python_version}\\nFalse\\n3.x abi 0\\n/opt/real\\n'\n"
    folders = [on_path(tmp_path / "shims", SHIM), on_path(tmp_path / "bin", real)]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    assert find_interpreter(OTHER, "the race").path == "/opt/real"
    with pytest.raises(EngineMissing, match="without its headers"):
        find_python(OTHER)


def test_find_interpreter_this_python_needs_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    here = Target(python=f"cp3{sys.version_info[1]}")
    assert Path(find_interpreter(here, "the race").path).samefile(sys.executable)


def test_find_interpreter_identity_is_version_abi_and_headers() -> None:
    here = Target(python=f"cp3{sys.version_info[1]}")
    version, abi, headers = find_interpreter(here, "the race").identity.split()
    assert (version, abi) == (platform.python_version(), sysconfig.get_config_var("SOABI"))
    assert re.fullmatch("[0-9a-f]{64}", headers)


def reporting(folder: Path, identity: str, version: str = OTHER.python_version) -> str:
    """A folder for PATH with an interpreter that has headers and an identity."""
    lines = rf"cpython\n{version}\nTrue\n{identity}\n{folder}/python-{folder.name}\n"
    return on_path(folder, f"#!/bin/sh\nprintf '{lines}'\n")


def test_host_environment_same_python_in_another_folder_same_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of host builds holds what the interpreter is, not its file name."""
    monkeypatch.setattr(pipeline, "host_versions", lambda _, python: {"gcc": "1", "cpython": python.identity})
    context = make_context(tmp_path)
    digests = {}
    for name, identity in (
        ("a", "3.9.1 abi 0"),
        ("b", "3.9.1 abi 0"),
        ("c", "3.9.2 abi 0"),
        ("d", "3.9.1 abi 1"),
    ):
        monkeypatch.setenv("PATH", reporting(tmp_path / name, identity))
        digests[name] = pipeline.environment(context, "host", OTHER).image_digest
    assert digests["a"] == digests["b"]
    assert len(set(digests.values())) == 3


def test_host_versions_name_compiler_linker_libc_and_python() -> None:
    if fault := missing_tools():
        pytest.skip(f"this machine lacks {', '.join(fault)}")
    python = find_interpreter(Target(python=f"cp3{sys.version_info[1]}"), "a test")
    found = host_versions(run, python)
    assert found["cpython"] == python.identity
    assert re.search(r"gcc.* \d+\.\d+", found["gcc"])
    assert re.search(r"GNU ld.* \d+\.\d+", found["ld"])
    assert re.fullmatch(r"glibc \d+\.\d+", found["libc"])


def test_missing_tools_names_those_of_binutils_that_a_library_s_build_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gcc", "g++", "make", "pkg-config", "strip", "nm"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_tools() == ["ar", "objcopy"]


def test_known_pythons_are_in_order_and_plain() -> None:
    known = known_pythons()
    assert known[:3] == ("cp39", "cp310", "cp311")
    assert not any(tag.endswith("t") for tag in known)
    assert "cp3999999" not in known


def test_buildable_docker_without_an_official_image_has_one_python() -> None:
    assert buildable(None, "docker") == ("cp311",)  # type: ignore[arg-type]
