"""Options that name the file or folder of a result: an unwritable one is an error before any work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from spokeshave.machine.files import unwritable


class ResultPath(click.Path):
    """A file or folder that a command will write; neither it nor its folders need to exist."""

    def __init__(self, *, folder: bool) -> None:
        super().__init__(path_type=Path, file_okay=not folder, dir_okay=folder)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not self.dir_okay and path.exists() and not path.is_file():
            self.fail(f"{path} is a device or a pipe; name a regular file", param, ctx)
        if fault := unwritable(path if self.dir_okay else path.parent):
            self.fail(f"{path} cannot be written: {fault}; name another path", param, ctx)
        return path


RESULT_FILE = ResultPath(folder=False)
RESULT_FOLDER = ResultPath(folder=True)
