"""`--python`: the tag of a Python that exists, and that can be built for where a command builds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from spokeshave.build.images.local import LOCAL_PYTHON
from spokeshave.build.pythons import build_fault, buildable, known_pythons
from spokeshave.cli.settings import VARIABLES, Settings, settings_error
from spokeshave.context import Context
from spokeshave.inside.model import Target
from spokeshave.nearest import did_you_mean

_HINT = "--python"


def python_option(
    text: str = "Build for this Python, given as a tag.", among: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--python TAG`, which is cp311 unless given; `text` is its help, `among` are the only ones accepted."""
    check = partial(_known, among)
    return click.option(
        _HINT,
        default=LOCAL_PYTHON,
        show_default=True,
        metavar="TAG",
        envvar=None if among else VARIABLES["python"],
        callback=check,
        shell_complete=_complete,
        help=text,
    )


def _complete(context: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(tag) for tag in known_pythons() if tag.startswith(incomplete)]


def _known(among: tuple[str, ...], context: click.Context, option: click.Parameter, tag: str) -> str:
    known = known_pythons()
    if tag not in known:
        raise click.BadParameter(f"{tag!r} is not a Python tag; {did_you_mean(tag.lower(), known)}")
    if among and tag not in among:
        raise click.BadParameter(f"{tag} cannot be made here; possible: {', '.join(among)}")
    return tag


def refuse_unbuildable(context: Context, engine: Literal["docker", "host"], target: Target) -> None:
    """Raises click.BadParameter for a Python that the engine cannot build for, if it can build for others.

    Raises SettingsError if the project's file names it. If the engine can build for none, the fault is the
    engine's, which reports it itself.
    """
    fault = build_fault(context, engine, target)
    if not fault or not (others := buildable(context, engine)):
        return
    text = f"cannot build for {target.python} here: {fault}; possible: {', '.join(others)}"
    command = click.get_current_context()
    if command.get_parameter_source("python") is ParameterSource.DEFAULT_MAP:
        raise settings_error(Settings.of(command), {"python": text})
    raise click.BadParameter(text, param_hint=_HINT)
