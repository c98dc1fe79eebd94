"""Options that name where a result goes: a place that cannot be written is told before any work is done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class ResultPath(click.Path):
    """A file or folder that a command will write; it may be there, or its folders, or nothing yet."""

    def __init__(self, *, folder: bool) -> None:
        super().__init__(path_type=Path, file_okay=not folder, dir_okay=folder)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if fault := _fault(path if self.dir_okay else path.parent):
            self.fail(f"{path} cannot be written: {fault}; name another place", param, ctx)
        return path


RESULT_FILE = ResultPath(folder=False)
RESULT_FOLDER = ResultPath(folder=True)


def _fault(folder: Path) -> str:
    """Why nothing can be put into a folder that is there or is still to be made; nothing where it can."""
    absolute = folder.absolute()
    nearest = next(place for place in (absolute, *absolute.parents) if os.path.lexists(place))
    if not nearest.is_dir():
        return f"{nearest} is not a folder"
    return "" if os.access(nearest, os.W_OK | os.X_OK) else f"no rights to write in {nearest}"
