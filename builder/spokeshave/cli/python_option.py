"""`--python`: the tag of a Python that exists, and that can be built for where a command builds."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import click
from click.shell_completion import CompletionItem

from spokeshave.build.images.local import LOCAL_PYTHON
from spokeshave.build.pythons import build_fault, buildable, known_pythons
from spokeshave.cli.options import VARIABLES
from spokeshave.context import Context
from spokeshave.inside.model import Target

_HINT = "--python"


def python_option(
    told: str = "Build for this Python, given as a tag.", among: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--python TAG`, which is cp311 unless given; `told` is its help, `among` are the only ones taken."""
    check = partial(_known, among)
    return click.option(
        _HINT,
        default=LOCAL_PYTHON,
        show_default=True,
        metavar="TAG",
        envvar=None if among else VARIABLES["python"],
        callback=check,
        shell_complete=_complete,
        help=told,
    )


def _complete(context: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(tag) for tag in known_pythons() if tag.startswith(incomplete)]


def _known(among: tuple[str, ...], context: click.Context, option: click.Parameter, tag: str) -> str:
    known = known_pythons()
    if tag not in known:
        close = difflib.get_close_matches(tag.lower(), known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise click.BadParameter(f"{tag!r} is not a Python tag; {hint}known: {', '.join(known)}")
    if among and tag not in among:
        raise click.BadParameter(f"{tag} is not among those that can be made here: {', '.join(among)}")
    return tag


def refuse_unbuildable(context: Context, engine: Literal["docker", "host"], target: Target) -> None:
    """Raises click.BadParameter for a Python that the engine cannot build for here, where it can for others.

    Where it can for none, the fault is the engine's, and it says so itself.
    """
    fault = build_fault(context, engine, target)
    if fault and (others := buildable(context, engine)):
        raise click.BadParameter(
            f"nothing can be built for {target.python} here: {fault}; what can: {', '.join(others)}",
            param_hint=_HINT,
        )
