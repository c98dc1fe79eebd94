"""Paths of results: every command checks them before it works."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from spokeshave.cli import main
from spokeshave.cli.paths import RESULT_FILE, RESULT_FOLDER, ResultPath
from spokeshave.errors import StoreError
from spokeshave.machine.files import copy_whole, write_whole

WRITTEN = {"--output", "--record", "--html", "--to", "--lock", "--picture"}


def options() -> Iterator[tuple[str, click.Parameter]]:
    for name, command in main.commands.items():
        for parameter in command.params:
            for option in WRITTEN.intersection(parameter.opts):
                yield f"{name} {option}", parameter


@pytest.mark.parametrize("named", [pytest.param(option, id=name) for name, option in options()])
def test_option_of_a_result_checks_its_path(named: click.Parameter) -> None:
    assert isinstance(named.type, ResultPath)


def test_options_of_results_are_all_found() -> None:
    assert {name.partition(" ")[2] for name, _ in options()} == WRITTEN


@pytest.mark.parametrize("path", ["new", "new/deep", "folder", "folder/new", "link/new"])
def test_path_that_exists_or_can_be_made_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert RESULT_FOLDER.convert(path, None, None) == Path(path)
    assert RESULT_FILE.convert(f"{path}/file", None, None) == Path(path, "file")
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["folder", "link"]


@pytest.mark.parametrize("path", ["file", "file/deep", "gone/deep"])
def test_path_through_a_file_or_a_dangling_link_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "gone").symlink_to("nowhere")
    with pytest.raises(click.BadParameter, match=r"is a file|is not a folder"):
        RESULT_FOLDER.convert(str(tmp_path / path), None, None)


def test_path_without_write_access_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the system says of it, since the tests may run as root."""
    monkeypatch.setattr("spokeshave.cli.paths.os.access", lambda *_: False)
    with pytest.raises(click.BadParameter, match="no rights to write in"):
        RESULT_FOLDER.convert(str(tmp_path / "new"), None, None)


def test_path_of_a_device_or_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(click.BadParameter, match="is a device or a pipe"):
            RESULT_FILE.convert(str(place), None, None)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc here")
@pytest.mark.parametrize("path", ["/proc/nope", "/proc/nope/deep"])
def test_path_below_proc_is_refused_to_root_too(path: str) -> None:
    with pytest.raises(click.BadParameter, match=r"nothing can be made in /proc|no rights to write in /proc"):
        RESULT_FOLDER.convert(path, None, None)
    with pytest.raises(click.BadParameter, match=r"nothing can be made in /proc|no rights to write in /proc"):
        RESULT_FILE.convert(path, None, None)


def test_write_whole_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").touch()
    (tmp_path / "full").mkdir()
    for place in ("source/x", "full"):
        with pytest.raises(StoreError, match="cannot be written"):
            write_whole(tmp_path / place, "x")
        with pytest.raises(StoreError, match="cannot be written"):
            copy_whole(tmp_path / "source", tmp_path / place)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["full", "source"]


def test_copy_whole_on_a_full_disk_raises_oserror_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line says then how to free space."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "source").touch()
    monkeypatch.setattr("spokeshave.machine.files.shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        copy_whole(tmp_path / "source", tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
