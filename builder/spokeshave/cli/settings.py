"""A project's settings: `spokeshave.toml`, or `[tool.spokeshave]` in its pyproject.toml.

They are the defaults of options, through click's `default_map`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from spokeshave.build.pythons import known_pythons
from spokeshave.errors import SettingsError
from spokeshave.nearest import did_you_mean

OWN_FILE, SHARED_FILE = "spokeshave.toml", "pyproject.toml"
# A setting of a project's file is also an environment variable. A parameter that takes the setting names the
# variable as its own: by that the file's values find their parameters.
VARIABLES = {
    "profile": ["SPOKESHAVE_PROFILE"],
    "python": ["SPOKESHAVE_PYTHON"],
    "index": ["SPOKESHAVE_INDEX"],
    "store": ["SPOKESHAVE_STORE", "SPOKESHAVE_CACHE"],
    "recipes": ["SPOKESHAVE_RECIPES"],
}
_PATHS = ("index", "store", "recipes")
_STORED = "spokeshave.settings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings of a project's file, with paths resolved from its folder; `file` is None without a file.

    `ignored` is the pyproject.toml next to it that has settings too, and is not read.
    """

    file: Path | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    ignored: Path | None = None

    def keep(self, context: click.Context) -> None:
        """Keeps the settings for the commands below this context."""
        context.meta[_STORED] = self

    @classmethod
    def of(cls, context: click.Context) -> Settings:
        """The settings that a command runs under."""
        found = context.meta.get(_STORED)
        return found if isinstance(found, Settings) else cls()


def find_settings(start: Path) -> Settings:
    """The nearest settings, from a folder upwards; none where no folder has any.

    Raises SettingsError for a file that cannot be read, an unknown key and an invalid value.
    """
    for folder in (start, *start.parents):
        own, shared = folder / OWN_FILE, folder / SHARED_FILE
        table = _shared_table(shared) if _is_file(shared) else None
        if _is_file(own):
            both = shared if table is not None else None
            return Settings(file=own, values=_checked(own, _table(own)), ignored=both)
        if table is not None:
            return Settings(file=shared, values=_checked(shared, table))
    return Settings()


def default_map(settings: Settings, group: click.Group) -> dict[str, Any]:
    """The settings as defaults of the parameters that take them, by command."""
    found: dict[str, Any] = _defaults(settings, group)
    for name, command in group.commands.items():
        below = (
            default_map(settings, command)
            if isinstance(command, click.Group)
            else _defaults(settings, command)
        )
        if below:
            found[name] = below
    return found


def setting_of(parameter: click.Parameter) -> str | None:
    """The setting that is the default of a parameter, if there is one."""
    return next((key for key, names in VARIABLES.items() if parameter.envvar == names), None)


def variable_of(parameter: click.Parameter) -> str:
    """The environment variable from which a parameter has its value."""
    names = [parameter.envvar] if isinstance(parameter.envvar, str) else [*(parameter.envvar or ())]
    return next((name for name in names if os.environ.get(name)), "")


def _defaults(settings: Settings, command: click.Command) -> dict[str, str]:
    keys = {str(one.name): setting_of(one) for one in command.params}
    return {name: settings.values[key] for name, key in keys.items() if key and key in settings.values}


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsError(f"{path}: not valid TOML: {fault}", next_step="correct that line") from fault
    except OSError as fault:
        raise SettingsError(
            f"{path} cannot be read: {fault.strerror}", next_step="make the file readable, or remove it"
        ) from fault


def _shared_table(path: Path) -> Any:
    """Our table of a pyproject.toml; none where that file, which others own, does not name us."""
    try:
        tool = _table(path).get("tool")
    except SettingsError:
        if _names_us(path):
            raise
        return None
    return tool.get("spokeshave") if isinstance(tool, dict) else None


def _names_us(path: Path) -> bool:
    try:
        return b"tool.spokeshave" in path.read_bytes()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    """Whether there is a file; one in a folder that this user may not search does not count."""
    try:
        return path.is_file()
    except OSError:
        return False


def settings_error(settings: Settings, faults: Mapping[str, str]) -> SettingsError:
    """The error that lists the faults of a file's keys."""
    table = "" if settings.file and settings.file.name == OWN_FILE else "tool.spokeshave."
    lines = [f"  {table}{key}: {fault}" for key, fault in faults.items()]
    return SettingsError(
        "\n".join([f"{settings.file} has settings that are not valid:", *lines]),
        next_step="correct them there; `spokeshave config --help` lists the settings",
    )


def _checked(path: Path, table: Any) -> dict[str, str]:
    """The values of a file's table; raises SettingsError that lists every fault."""
    if not isinstance(table, dict):
        raise SettingsError(
            f"{path}: tool.spokeshave is not a table", next_step="write it as [tool.spokeshave]"
        )
    faults = {key: fault for key, value in table.items() if (fault := _fault(path, key, value))}
    if faults:
        raise settings_error(Settings(file=path), faults)
    return {key: _resolved(path.parent, key, value) for key, value in table.items()}


def _fault(path: Path, key: str, value: Any) -> str:
    if key not in VARIABLES:
        return f"unknown key; {did_you_mean(key, VARIABLES)}"
    if not isinstance(value, str) or not value:
        return f"{value!r} is not a text between quotation marks"
    if key == "python" and value not in known_pythons():
        return f"{value!r} is not a Python tag; {did_you_mean(value, known_pythons())}"
    return _path_fault(path, key, value)


def _path_fault(path: Path, key: str, value: str) -> str:
    try:
        named = Path(_resolved(path.parent, key, value))
    except RuntimeError as fault:  # of expanduser
        return str(fault)
    if key == "recipes" and not named.is_dir():
        return f"there is no folder {named}"
    if key == "profile" and named.suffix == ".toml" and not named.is_file():
        return f"there is no file {named}"
    return ""


def _resolved(folder: Path, key: str, value: str) -> str:
    """A path counts from the folder of the file that has it; other values are as they are."""
    is_path = key in _PATHS or (key == "profile" and value.endswith(".toml"))
    return str(folder / Path(value).expanduser()) if is_path else value
