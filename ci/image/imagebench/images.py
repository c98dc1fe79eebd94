"""Both images from one Dockerfile on one base."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from spokeshave.api import Command, Context, EngineMissing, ImageError, debian_root

PACKAGES = ("python3", "python3-venv", "pandoc")
_SUITE = "bookworm"
# Merged from the start: the package that merges an unmerged root would bring 50 MB of Perl.
_MERGED = "/usr/share/mmdebstrap/hooks/merged-usr"
_OPTIONS = (f"--hook-dir={_MERGED}", '--aptopt=APT::Install-Recommends "false"', "--include=usr-is-merged")


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """The base of both images, and the Debian packages that it lacks and a network provides."""

    reference: str
    packages: tuple[str, ...] = ()


def named_base(reference: str) -> Base:
    """A base of the user's, such as Python's official image, in which pandoc gets installed."""
    return Base(reference=reference, packages=("pandoc",))


def local_base(context: Context) -> Base:
    """A base like `python:3.11-slim`, with pandoc, from Debian packages; made if it is missing.

    Raises EngineMissing without mmdebstrap, ImageError if Debian's packages cannot be downloaded.
    """
    argv = debian_root(PACKAGES, _SUITE, Path("root.tar"), *_OPTIONS)
    digest = hashlib.sha256("\0".join(argv).encode()).hexdigest()
    reference = f"spokeshave-bookgen-base:{digest[:12]}"
    if context.containers.image_id(reference):
        return Base(reference=reference)
    if not shutil.which("mmdebstrap"):
        raise EngineMissing(
            "making the base image needs mmdebstrap",
            next_step="`apt-get install mmdebstrap`, or name an image: --base python:3.11-slim",
        )
    with (
        context.store.scratch() as scratch,
        context.reporter.stage(f"making {reference} from Debian packages"),
    ):
        tar = scratch / "root.tar"
        _step(context, debian_root(PACKAGES, _SUITE, tar, *_OPTIONS), "check that `apt-get update` works")
        _step(context, ("docker", "import", "--change", 'CMD ["/bin/bash"]', str(tar), reference), "")
    return Base(reference=reference)


def build(context: Context, base: Base, folder: Path, reference: str, *, compiled: bool) -> None:
    """Builds an image of the service from a folder with Dockerfile, wheels and service; raises ImageError."""
    arguments = {
        "BASE": base.reference,
        "COMPILE": "yes" if compiled else "no",
        "PACKAGES": " ".join(base.packages),
    }
    words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    network = () if base.packages else ("--network", "none")
    argv = ("docker", "build", "--force-rm", *network, "--tag", reference, *words, str(folder))
    with context.reporter.stage(f"building {reference}"):
        _step(context, argv, "read pip's messages in the log")


def _step(context: Context, argv: tuple[str, ...], next_step: str) -> None:
    log = context.logs / "image-service.log"
    done = context.runner(Command(argv=argv, log=log, on_line=context.reporter.line))
    if not done.ok:
        last = "\n".join(done.output.splitlines()[-6:])
        raise ImageError(f"`{' '.join(argv[:2])} …` failed:\n{last}", next_step=next_step, log=log)
