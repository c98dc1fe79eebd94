"""How help looks: groups of commands, a table of options, examples line by line as they are written."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import click
from rich.text import Text
from rich_click import RichCommand, RichGroup, RichHelpFormatter
from rich_click.rich_panel import RichCommandPanel

# No boxes, so that help can be piped and pasted; no environment variable changes its look.
HELP_CONFIG: dict[str, Any] = {
    "theme": "default-slim",
    "enable_theme_env_var": False,
    "width": None,
    "max_width": None,
    "force_terminal": None,
    "text_markup": None,
    "text_emojis": False,
    "style_helptext": "",
    "append_metavars_help_string": "{}",
    "default_string": "\\[default: {}]",
    "envvar_string": "\\[env: {}]",
    "append_range_help_string": "\\[{}]",
}
CONTEXT_SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "rich_help_config": HELP_CONFIG,
}
_VERBATIM = "\b"  # click's mark of a paragraph that is not to be filled


class Command(RichCommand):
    """A command whose examples keep their lines on narrow terminals too: they are there to be copied."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_help(self.help or "", formatter)

    def get_help(self, ctx: click.Context) -> str:
        return _trimmed(super().get_help(ctx))

    def get_usage(self, ctx: click.Context) -> str:
        return _trimmed(super().get_usage(ctx))


class Group(RichGroup):
    """A command with subcommands, in panels by `sections`."""

    def __init__(self, *args: Any, sections: Sequence[tuple[str, Sequence[str]]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for title, names in sections:
            self.add_panel(RichCommandPanel(title, commands=list(names)))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_help(self.help or "", formatter)

    def get_help(self, ctx: click.Context) -> str:
        return _trimmed(super().get_help(ctx))

    def get_usage(self, ctx: click.Context) -> str:
        return _trimmed(super().get_usage(ctx))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click does it: an error is one line that can be searched for, not a box."""
        return click.Group.main(self, *args, **kwargs)


def _write_help(text: str, formatter: click.HelpFormatter) -> None:
    assert isinstance(formatter, RichHelpFormatter)
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith(_VERBATIM):
            lines = paragraph.removeprefix(_VERBATIM).strip("\n")
            formatter.write(Text(lines), no_wrap=True, overflow="ignore", crop=False)
        else:
            formatter.write(Text(" ".join(paragraph.split())))
        formatter.write()


def _trimmed(text: str) -> str:
    """The text without the blanks to which rich pads its lines."""
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())
