"""Local images: made from Debian packages.

A local image is named after the digest of its definition (Dockerfile, package list, tools), so that a
change of the definition makes a new image and an unchanged one is found again. Its label holds the versions
that Debian delivered when it was made.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from spokeshave.build.images import versions
from spokeshave.build.images.model import Image, Kind
from spokeshave.errors import EngineMissing, ImageError
from spokeshave.inside.model import LOCAL_IMAGE, Target, digest_of
from spokeshave.inside.run import Command, Runner
from spokeshave.machine.store import Store
from spokeshave.sources import download

LOCAL_PYTHON = "cp311"  # of Debian 12, whose packages the local images are made of

_EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
_BUILD_FILES = ("build.Dockerfile", "later.cpp", "later_streams.cpp", "later_probe.cpp")
_SYSROOT_SUITE = "bullseye"  # glibc 2.31: with five libm functions pinned, wheels reach manylinux_2_28
_SYSROOT_PACKAGES = ("libc6-dev", "libstdc++-10-dev", "libgcc-s1", "libgomp1")
_SUITES: dict[Kind, str] = {"build": "trixie", "run": "bookworm", "run-compiler": "bookworm"}
_PACKAGES: dict[Kind, tuple[str, ...]] = {
    "build": (
        *("gcc", "g++", "gfortran", "ccache", "binutils-gold", "make", "pkg-config", "file", "xz-utils"),
        "ca-certificates",
        *("zlib1g-dev", "libssl-dev", "libffi-dev", "libbz2-dev", "liblzma-dev", "libsqlite3-dev"),
    ),
    "run": ("python3", "python3-venv"),
    "run-compiler": ("python3", "python3-venv", "python3-dev", "gcc", "g++", "gfortran", "pkg-config"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalImages:
    """Makes images from Debian packages."""

    runner: Runner
    store: Store
    say: Callable[[str], None]
    on_line: Callable[[str], None]
    logs: Path

    def make(self, kind: Kind, target: Target) -> Image:
        """Makes the local image from Debian packages (about four minutes for `build`, one for others)."""
        image = local_image(kind, target)
        if target.python != LOCAL_PYTHON:
            raise ImageError(
                local_fault(target),
                next_step=f"use `--python {LOCAL_PYTHON}`, or a machine where a registry answers",
            )
        if not shutil.which("mmdebstrap"):
            raise EngineMissing("making an image needs mmdebstrap", next_step="`apt-get install mmdebstrap`")
        self.say(f"making image {image.reference} from Debian packages")
        log = self.logs / f"image-{kind}.log"
        with self.store.scratch() as context:
            if kind == "build":
                self._make_build(image, target, context, log)
            else:
                root = context / "root.tar"
                self._bootstrap(kind, root, log)
                label = f"LABEL {versions.LABEL}={_quoted(versions.installed(kind, root))}"
                change = ("--change", 'CMD ["/bin/bash"]', "--change", label)
                self._step(("docker", "import", *change, str(root), image.reference), log)
        return image

    def _make_build(self, image: Image, target: Target, context: Path, log: Path) -> None:
        self._bootstrap("build", context / "root.tar", log)
        packages = f"--include={','.join(_SYSROOT_PACKAGES)}"
        listing = context / "sysroot.txt"
        hook = f'--extract-hook=ls "$1"/var/cache/apt/archives > {shlex.quote(str(listing))}'
        sysroot = (hook, packages, _SYSROOT_SUITE, str(context / "sysroot.tar"))
        self._step(("mmdebstrap", "--variant=extract", *sysroot), log)
        self._fetch_cpython(context, log)
        definition = resources.files("spokeshave.build.images")
        tools = context / "tools.txt"
        tools.write_text((definition / "tools.txt").read_text("utf-8"), "utf-8")
        for name in _BUILD_FILES:
            text = (definition / name).read_text("utf-8")
            (context / name.replace("build.Dockerfile", "Dockerfile")).write_text(text, "utf-8")
        (context / "wheels").mkdir()
        download.download_locked(
            tools,
            context / "wheels",
            python_tag=target.python,
            platforms=target.pip_platforms,
            runner=self.runner,
            log=log,
        )
        found = {
            **versions.installed("build", context / "root.tar"),
            **versions.extracted(listing.read_text("utf-8")),
            **versions.cpython(context / "cpython.tar"),
        }
        label = f"--label={versions.LABEL}={json.dumps(found, sort_keys=True)}"
        self.say("compiling CPython for the build image")
        build = ("docker", "build", "--network", "none", label, "--tag", image.reference, str(context))
        self._step(build, log)

    def _bootstrap(self, kind: Kind, tar: Path, log: Path) -> None:
        self.say(f"installing Debian packages for image {kind}")
        self._step(debian_root(_PACKAGES[kind], _SUITES[kind], tar), log)

    def _fetch_cpython(self, context: Path, log: Path) -> None:
        """Debian 12's CPython source, through apt's own settings as mmdebstrap lays them out."""
        listing = '"$1"/etc/apt/sources.list'
        source_lines = f"sed -i '/-security\\|-updates/!{{p;s/^deb /deb-src /}}' {listing}"
        folder = shlex.quote(str(context))
        command = (
            'mkdir -p "$1"/src && cd "$1"/src && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" '
            "apt-get source --download-only --tar-only python3.11 && "
            f"cp python3.11_*.orig.tar.* {folder}/cpython.tar"
        )
        argv = (
            *("mmdebstrap", "--variant=extract", f"--setup-hook={source_lines}"),
            f"--extract-hook={command}",
            *("--include=base-files", "bookworm", str(context / "unused.tar")),
        )
        self._step(argv, log)
        (context / "unused.tar").unlink()

    def _step(self, argv: tuple[str, ...], log: Path) -> None:
        done = self.runner(Command(argv=argv, log=log, on_line=self.on_line))
        if not done.ok:
            last = "\n".join(done.output.splitlines()[-8:])
            raise ImageError(
                f"`{' '.join(argv[:2])} …` failed while an image was made:\n{last}",
                next_step="check that Debian's packages can be reached (`apt-get update`)",
                log=log,
            )


def _quoted(found: Mapping[str, str]) -> str:
    """A label's value as a Dockerfile's instruction writes it."""
    return json.dumps(json.dumps(found, sort_keys=True))


def debian_root(packages: tuple[str, ...], suite: str, tar: Path, *options: str) -> tuple[str, ...]:
    """The command that makes a small root of Debian packages, to be imported as an image."""
    return (
        *("mmdebstrap", "--variant=minbase", *options),
        *(f"--dpkgopt=path-exclude={glob}" for glob in _EXCLUDED),
        f"--include={','.join(packages)}",
        *(suite, str(tar)),
    )


def local_fault(target: Target) -> str:
    """Why no local image of the target can be made, whatever is installed; empty where one can."""
    return (
        ""
        if target.python == LOCAL_PYTHON
        else f"local images have {LOCAL_PYTHON} only, not {target.python}, and no registry answers"
    )


def local_image(kind: Kind, target: Target) -> Image:
    """The image that `make` would make on this machine, whether or not it is here.

    Its digest is that of the definition alone; `with_toolchain` adds what Debian delivered.
    """
    text = "\0".join([versions.LABEL, _SUITES[kind], *_PACKAGES[kind], *_EXCLUDED])
    if kind == "build":
        text += "\0".join([_SYSROOT_SUITE, *_SYSROOT_PACKAGES])
        folder = resources.files("spokeshave.build.images")
        for name in (*_BUILD_FILES, "tools.txt"):
            text += (folder / name).read_text("utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    reference = f"{LOCAL_IMAGE}{kind}-{target.python}:{digest[:12]}"
    return Image(kind=kind, reference=reference, digest=f"sha256:{digest}", local=True)


def with_toolchain(image: Image, toolchain: Mapping[str, str]) -> Image:
    """A local image whose toolchain's versions are known: they are part of its digest.

    Raises ValueError for one that has them already.
    """
    if image.toolchain:
        raise ValueError(f"{image.reference} has its toolchain's versions already")
    return replace(
        image, toolchain=dict(toolchain), digest=f"sha256:{digest_of([image.digest, dict(toolchain)])}"
    )
