"""Removes the files of a component from an unpacked PyPI wheel, and leaves stubs or a note that say so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.stub_message import MARK, NAME

NOTE = "spokeshave-removed-{component}.txt"
"""The file that says which data was removed, in the innermost folder that held all of it."""
_STUB = (
    '''"""Stub of {module}, which is not in this wheel (written by spokeshave)."""

import sys


'''
    + NAME
    + """

raise ModuleNotFoundError(
    {message!r},
    name=Name(__name__),
)
"""
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """Files to remove, the modules among them that get a stub, and what stubs and note say.

    `option` is the option that removes the component, `missed` what a program sees that still uses it.
    """

    component: str
    files: tuple[Path, ...]
    modules: tuple[str, ...]
    project: str
    version: str
    option: str
    reason: str
    missed: str

    def message(self, what: str) -> str:
        """The message about a module or about the data; verification reads it as `inside.stub_message`."""
        upstream = self.version.partition("+")[0]
        return (
            f"{what}{MARK}{self.project} ({self.version}): profile 'slim' removes component"
            f" {self.component!r} ({self.reason}). To get it back, slim it without {self.option}, or install"
            f" upstream's {self.project}=={upstream}."
        )


def module_files(tree: Tree, module: str) -> Iterator[Path]:
    """A module's files: its package folder, or its source, extension module, stubs and declarations."""
    path = tree.root.joinpath(*module.split("."))
    if path.is_dir():
        yield from (one for one in sorted(path.rglob("*")) if one.is_file())
    if path.parent.is_dir():
        for one in sorted(path.parent.iterdir()):
            if one.is_file() and one.name.split(".")[0] == path.name:
                yield one


def remove(tree: Tree, removal: Removal) -> int:
    """Deletes the files, writes stubs and a note; returns the bytes saved."""
    saved = sum(path.stat().st_size for path in removal.files)
    for path in removal.files:
        path.unlink()
    saved -= sum(_write_stub(tree, removal, module) for module in removal.modules)
    folders = [tree.root.joinpath(*module.split(".")) for module in removal.modules]
    data = [path for path in removal.files if not any(_belongs(path, folder) for folder in folders)]
    return saved - (_leave_note(removal, data) if data else 0)


def _write_stub(tree: Tree, removal: Removal, module: str) -> int:
    folder = tree.root.joinpath(*module.split("."))
    if folder.is_dir() and not any(path.is_file() for path in folder.rglob("*")):
        shutil.rmtree(folder)
    if folder.is_dir() or not folder.parent.is_dir():
        return 0  # files in it are kept, or its package is removed with a separate stub
    stub = folder.with_name(f"{folder.name}.py")
    stub.write_text(_STUB.format(module=module, message=removal.message(module)), "utf-8")
    return stub.stat().st_size


def _belongs(path: Path, module: Path) -> bool:
    return path.is_relative_to(module) or (
        path.parent == module.parent and path.name.split(".")[0] == module.name
    )


def _leave_note(removal: Removal, data: Sequence[Path]) -> int:
    """Says in the folder of the data that it was removed, for whoever follows the path of an error."""
    folder = Path(os.path.commonpath([path.parent for path in data]))
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / NOTE.format(component=removal.component)
    lines = (removal.message(f"The data of {removal.component!r}"), f"Then: {removal.missed}")
    note.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return note.stat().st_size
