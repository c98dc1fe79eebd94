"""Options that name where a result goes: a place that cannot be written is an error before any work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from spokeshave.machine.files import unwritable


class ResultPath(click.Path):
    """A file or folder that a command will write; it may be there, or its folders, or nothing yet."""

    def __init__(self, *, folder: bool) -> None:
        super().__init__(path_type=Path, file_okay=not folder, dir_okay=folder)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not self.dir_okay and path.exists() and not path.is_file():
            self.fail(f"{path} is a device or a pipe, which a file would replace: name a file", param, ctx)
        if fault := unwritable(path if self.dir_okay else path.parent):
            self.fail(f"{path} cannot be written: {fault}; name another place", param, ctx)
        return path


RESULT_FILE = ResultPath(folder=False)
RESULT_FOLDER = ResultPath(folder=True)
