"""`python -m imagebench`: the command behind `ci/image/compare`."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from imagebench import images, service, tables, wheels
from imagebench.contents import package_bytes, pandoc_bytes
from imagebench.layers import image_size
from imagebench.picture import image_picture
from spokeshave.api import (
    RESULT_FILE,
    RESULT_FOLDER,
    Context,
    VerifyError,
    guarded,
    open_context,
    shrink_requirements,
    write_index,
    write_whole,
)

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
    built: bool
    blas: Path | None
    contexts: Path | None

    def references(self) -> dict[str, str]:
        """The names of both images."""
        kind = "" if self.compiled else "-no-compile"
        made = self.profile if self.built else f"{self.profile}-pypi"
        return {
            tables.OURS: f"spokeshave-bookgen-{made}:latest{kind}",
            tables.STOCK: f"spokeshave-bookgen-stock:latest{kind}",
        }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--profile", default="lean", show_default=True, help="Profile of our wheels.")
@click.option(
    "--wheelhouse",
    type=click.Path(path_type=Path, file_okay=False),
    default="wheelhouse",
    show_default=True,
    help="Folder of our wheels.",
)
@click.option(
    "--base", metavar="IMAGE", help="Base of both, such as python:3.11-slim; needs apt and a network."
)
@click.option(
    "--runs", default=5, show_default=True, type=click.IntRange(min=1), help="Number of starts of each image."
)
@click.option("--compile/--no-compile", "compiled", default=True, help="With bytecode (default), or without.")
@click.option("--careful", is_flag=True, help="Slim wheels keep docstrings, comments, indentation.")
@click.option("--unverified", is_flag=True, help="Skip the check of the slim wheels.")
@click.option(
    "--built/--no-built",
    "built",
    default=True,
    help="Use our wheels (default), or PyPI's, slimmed, of packages with a recipe too.",
)
@click.option(
    "--blas",
    type=click.Path(path_type=Path, exists=True),
    metavar="WHEEL|DIR",
    help="With --no-built, take the shared BLAS from here; by default from the store.",
)
@click.option(
    "--contexts",
    type=RESULT_FOLDER,
    metavar="DIR",
    help="Keep the build contexts in this new folder, with the wheels of both images.",
)
@click.option(
    "--picture",
    type=RESULT_FILE,
    metavar="FILE",
    help="Draw the parts of both images into this file, as SVG.",
)
@click.option(
    "--from",
    "earlier",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Show the results in this file of an earlier --json; build nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Write all results as JSON to stdout.")
@guarded
def main(*, as_json: bool, earlier: Path | None, picture: Path | None, **given: Any) -> None:
    """Compare the example service's image with PyPI wheels and with ours, on one base.

    Builds both, runs the service's tests in both and starts both, interleaved. Prints layers, sizes, seconds
    to the first healthy answer and resident memory of both. Exits with 40 if a test does not pass.

    \b
    Examples:
      ci/image/compare
      ci/image/compare --profile full --runs 9 --json > image.json
      ci/image/compare --no-built --blas wheelhouse
      ci/image/compare --no-compile --base python:3.11-slim
      ci/image/compare --from image.json --picture image.svg
    """
    stdout = Console()
    log = None
    if earlier:
        found = tables.from_json(earlier)
    else:
        with open_context() as context:
            context.containers.probe()
            context.containers.remove_orphans()
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


def compare(context: Context, wanted: Wanted) -> tables.Comparison:
    """Builds both images and compares them."""
    references = wanted.references()
    with context.store.scratch() as scratch:
        folders = {side: (wanted.contexts or scratch / "contexts") / side for side in references}
        stock = wheels.download(context, HERE / "requirements.txt", scratch / "stock")
        shrunk = _shrink(context, wanted, scratch / "shrunk")
        mine, theirs = (folders[side] / "wheels" for side in (tables.OURS, tables.STOCK))
        wheels.into_context(shrunk.folder, mine)
        write_index(context, stock, theirs, unverified=True)
        base = images.named_base(wanted.base) if wanted.base else images.local_base(context)
        for side, folder in folders.items():
            shutil.copy(HERE / "Dockerfile", folder)
            shutil.copytree(
                HERE / "bookgen", folder / "bookgen", ignore=shutil.ignore_patterns("__pycache__")
            )
            images.build(context, base, folder, references[side], compiled=wanted.compiled)
        wheels.take_tests(context, HERE / "tests", scratch / "tests")
        tests = {
            side: service.run_tests(context, image, scratch / "tests") for side, image in references.items()
        }
    starts = service.interleaved_starts(context, references, wanted.runs)
    ours, stock_side = (
        tables.Side(
            image=image,
            weight=image_size(image, context.runner),
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
        base=image_size(base.reference, context.runner),
        pandoc=pandoc_bytes(context, ours.image),
        others=shrunk.others,
    )


def _shrink(context: Context, wanted: Wanted, folder: Path) -> wheels.Shrunk:
    """The wheels of our image; raises WheelError where one of ours is wanted and missing."""
    own = HERE / f"{wanted.profile}.toml"
    made = shrink_requirements(
        context,
        HERE / "requirements.txt",
        folder,
        profile="" if wanted.profile == "lean" else str(own if own.is_file() else wanted.profile),
        built=wanted.wheelhouse if wanted.built else None,
        blas=wanted.blas,
        careful=wanted.careful,
        check=not wanted.unverified,
    )
    if wanted.built:
        wheels.require_built(made, wanted.profile, wanted.wheelhouse)
    return wheels.Shrunk(folder=folder, wheels=made)


if __name__ == "__main__":
    main()
