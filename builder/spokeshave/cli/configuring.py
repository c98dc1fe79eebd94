"""`config`: which settings hold, and where each comes from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.options import json_option, profile_option
from spokeshave.cli.python_option import python_option
from spokeshave.cli.settings import VARIABLES, Settings, setting_of, variable_of
from spokeshave.machine.listing import Column, Listing, say, show


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A setting with its value, None where there is none, and the source of the value."""

    setting: str
    value: str | None
    source: str
    where: str


@click.command(cls=Command)
@profile_option("Set the profile, as for the other commands.")
@python_option("Set the target Python, as for the other commands.")
@click.option(
    "--index",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=VARIABLES["index"],
    metavar="DIR",
    help="Set the folder of the package index, as `publish --to` does.",
)
@json_option("the settings")
@click.pass_context
@guarded
def config(context: click.Context, as_json: bool, **given: object) -> None:
    """Show the settings that hold here, and where each comes from.

    A setting comes from the first of these that has it: the option, the environment variable, the project's
    file, the default. The file is the nearest spokeshave.toml, or pyproject.toml with [tool.spokeshave], from
    the working folder upwards. Paths in it count from its folder.

    \b
    Settings, options and variables:
      profile  --profile       SPOKESHAVE_PROFILE
      python   --python        SPOKESHAVE_PYTHON
      index    publish --to    SPOKESHAVE_INDEX
      store    --store         SPOKESHAVE_STORE
      recipes  --recipes       SPOKESHAVE_RECIPES

    `trace --profile` takes none of them: it names what the new profile extends.

    \b
    A spokeshave.toml:
      profile = "profiles/app.toml"
      python = "cp313"
      store = "/var/cache/spokeshave"

    \b
    Examples:
      spokeshave config
      spokeshave config --json
    """
    options = context.find_object(Globals)
    assert options is not None
    settings = Settings.of(context)
    rows = _rows(context, options, settings)
    if as_json:
        file = str(settings.file) if settings.file else None
        return click.echo(json.dumps({"file": file, "settings": [asdict(row) for row in rows]}, indent=1))
    columns = (Column("setting", whole=True), Column("value"), Column("source"))
    cells = [(row.setting, row.value or "not set", f"{row.source} {row.where}".strip()) for row in rows]
    show(options.stdout, Listing(columns=columns, rows=cells))
    if settings.file is None:
        say(options.stdout, "no spokeshave.toml or [tool.spokeshave] from the working folder upwards")
    return None


def _rows(context: click.Context, options: Globals, settings: Settings) -> list[_Row]:
    root = context.find_root()
    found = {}
    for level in (root, context):
        for parameter in level.command.params:
            if key := setting_of(parameter):
                value = options.cache if key == "store" else level.params[str(parameter.name)]
                source = level.get_parameter_source(str(parameter.name))
                text = None if value is None else str(value)
                found[key] = _Row(setting=key, value=text, **_origin(source, parameter, settings))
    return [found[key] for key in VARIABLES]


def _origin(source: ParameterSource | None, parameter: click.Parameter, settings: Settings) -> dict[str, str]:
    if source is ParameterSource.COMMANDLINE:
        return {"source": "option", "where": parameter.opts[0]}
    if source is ParameterSource.ENVIRONMENT:
        return {"source": "environment", "where": variable_of(parameter)}
    if source is ParameterSource.DEFAULT_MAP:
        return {"source": "file", "where": str(settings.file)}
    return {"source": "default", "where": ""}
