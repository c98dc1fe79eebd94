"""`serve`: an index folder over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from spokeshave.cli.common import Globals, guarded
from spokeshave.cli.help import Command
from spokeshave.cli.settings import VARIABLES
from spokeshave.machine.progress import make_reporter
from spokeshave.publish.folder import IndexFolder
from spokeshave.publish.server import make_server


@click.command(cls=Command)
@click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="[DIR]",
    envvar=VARIABLES["index"],
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Listen on this address."
)
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Listen on this port; 0 takes a free one.",
)
@click.pass_obj
@guarded
def serve(options: Globals, folder: Path, host: str, port: int) -> None:
    """Serve the index in DIR over HTTP until Ctrl-C, to try it: without passwords or encryption.

    Without DIR, the index of the project's settings is served.

    \b
    Examples:
      spokeshave serve index
      spokeshave serve index --port 0
    """
    say = make_reporter(options.stderr).say
    index = IndexFolder(root=folder, say=say)
    if stale := index.stale(index.read()):
        say(f"the index is half written or damaged ({', '.join(stale[:3])}); publish to it again")
    with make_server(folder, host, port) as server:
        click.echo(f"serving {folder} at {server.url}; Ctrl-C ends it")
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("ended")
