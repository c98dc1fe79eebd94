"""`python -m imagebench`: the command behind `ci/image/measure`."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import platformdirs
from rich.console import Console

from imagebench import images, tables, trials, wheels
from imagebench.contents import package_bytes, pandoc_bytes
from imagebench.layers import weigh
from imagebench.others import Slimmer
from imagebench.picture import image_picture
from spokeshave.cli.common import Globals, guarded, interrupt
from spokeshave.cli.paths import RESULT_FILE, RESULT_FOLDER
from spokeshave.context import Context
from spokeshave.errors import VerifyError
from spokeshave.machine.files import write_whole

HERE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The options, as given."""

    profile: str
    wheelhouse: Path
    base: str | None
    runs: int
    compiled: bool
    careful: bool
    unverified: bool
    slim: Path | None
    contexts: Path | None

    def references(self) -> dict[str, str]:
        """What both images are called."""
        kind = "" if self.compiled else "-no-compile"
        return {
            tables.OURS: f"spokeshave-bookgen-{self.profile}:latest{kind}",
            tables.STOCK: f"spokeshave-bookgen-stock:latest{kind}",
        }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--profile", default="lean", show_default=True, help="Which of our wheels.")
@click.option(
    "--wheelhouse",
    type=click.Path(path_type=Path, file_okay=False),
    default="wheelhouse",
    show_default=True,
    help="Where they are.",
)
@click.option(
    "--base", metavar="IMAGE", help="Base of both, such as python:3.11-slim, with apt and a network."
)
@click.option(
    "--runs", default=5, show_default=True, type=click.IntRange(min=1), help="Starts of each image."
)
@click.option("--compile/--no-compile", "compiled", default=True, help="With bytecode (default), or without.")
@click.option("--careful", is_flag=True, help="Other packages keep docstrings, comments, indentation.")
@click.option("--unverified", is_flag=True, help="Take wheels of ours without a proof; check no slim wheel.")
@click.option(
    "--slim",
    type=RESULT_FOLDER,
    metavar="DIR",
    help="Keep the slim wheels of other packages here for the next run.",
)
@click.option(
    "--contexts",
    type=RESULT_FOLDER,
    metavar="DIR",
    help="Keep what Docker builds from in this new folder, with the wheels of both images.",
)
@click.option(
    "--picture",
    type=RESULT_FILE,
    metavar="FILE",
    help="Also draw what both images are made of, as SVG.",
)
@click.option(
    "--from",
    "earlier",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Show what an earlier run has written with --json; nothing is measured.",
)
@click.option("--json", "as_json", is_flag=True, help="Write all that was measured as JSON to stdout.")
@guarded
def main(*, as_json: bool, earlier: Path | None, picture: Path | None, **given: Any) -> None:
    """Weigh the example service's image with stock wheels and with ours, on one base.

    Builds both, runs the service's tests in both, starts both by turns, and prints layers, sizes, seconds to
    the first healthy answer and resident memory side by side. Exits with 40 where a test does not pass.

    \b
    Examples:
      ci/image/measure
      ci/image/measure --profile full --runs 9 --json > image.json
      ci/image/measure --no-compile --base python:3.11-slim
      ci/image/measure --from image.json --picture image.svg
    """
    stdout = Console()
    log = None
    if earlier:
        found = tables.from_json(earlier)
    else:
        context = connect(stdout)
        found, log = compare(context, Wanted(**given)), context.logs
    if picture:
        write_whole(picture, image_picture(found))
    if as_json:
        click.echo(json.dumps(tables.to_json(found), indent=1, sort_keys=True))
    else:
        for table in (tables.layer_table(found), tables.size_table(found), tables.work_table(found)):
            stdout.print(table)
    bad = [f"{name}: {side.tests}" for name, side in found.sides.items() if not side.tests.good]
    if bad:
        raise VerifyError(f"not every test of the service passed: {'; '.join(bad)}", log=log)


def connect(stdout: Console) -> Context:
    """This machine's Docker, with what earlier runs left behind removed."""
    signal.signal(signal.SIGTERM, interrupt)
    cache = Path(platformdirs.user_cache_dir("spokeshave")).resolve()
    given = Globals(recipes=None, cache=cache, image="auto", stderr=Console(stderr=True), stdout=stdout)
    context = given.context()
    context.containers.probe()
    context.containers.remove_orphans()
    return context


def compare(context: Context, wanted: Wanted) -> tables.Comparison:
    """All stages in their order."""
    built = wheels.find_built(wanted.wheelhouse, wanted.profile)
    references = wanted.references()
    with context.store.scratch() as scratch:
        folders = {side: (wanted.contexts or scratch / "contexts") / side for side in references}
        stock = wheels.download(context, HERE / "requirements.txt", scratch / "stock")
        others = Slimmer(
            context=context,
            folder=wanted.slim or scratch / "slim",
            careful=wanted.careful,
            check=not wanted.unverified,
        ).slim(stock)
        wheels.make_index(
            context,
            (*built, *others.wheels),
            folders[tables.OURS] / "wheels",
            unverified=wanted.unverified,
        )
        wheels.make_index(context, stock, folders[tables.STOCK] / "wheels", unverified=True)
        base = images.named_base(wanted.base) if wanted.base else images.local_base(context)
        for side, folder in folders.items():
            shutil.copy(HERE / "Dockerfile", folder)
            shutil.copytree(
                HERE / "bookgen", folder / "bookgen", ignore=shutil.ignore_patterns("__pycache__")
            )
            images.build(context, base, folder, references[side], compiled=wanted.compiled)
        wheels.take_tests(context, HERE / "tests", scratch / "tests")
        tests = {
            side: trials.run_tests(context, image, scratch / "tests") for side, image in references.items()
        }
    starts = trials.by_turns(context, references, wanted.runs)
    ours, stock_side = (
        tables.Side(
            image=image,
            weight=weigh(image, context.runner),
            packages=package_bytes(context, image),
            tests=tests[side],
            starts=starts[side],
        )
        for side, image in references.items()
    )
    return tables.Comparison(
        profile=wanted.profile,
        ours=ours,
        stock=stock_side,
        base=weigh(base.reference, context.runner),
        pandoc=pandoc_bytes(context, ours.image),
        others=(others.slim_bytes, others.stock_bytes),
    )


if __name__ == "__main__":
    main()
