"""Which image a stage uses: the official one where a registry answers, else a local one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spokeshave.build.images.local import LocalImages, local_image, with_toolchain
from spokeshave.build.images.model import Image, Kind
from spokeshave.build.images.official import official_image
from spokeshave.build.images.versions import LABEL
from spokeshave.context import Context, ImageMode
from spokeshave.errors import ImageError
from spokeshave.inside.model import Target
from spokeshave.inside.run import Command, Runner
from spokeshave.machine.containers import Containers

_REGISTRY_PROBE_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Images:
    """Finds images, and makes or pulls those that are not here."""

    runner: Runner
    containers: Containers
    local: LocalImages
    say: Callable[[str], None]
    on_line: Callable[[str], None]
    logs: Path
    mode: ImageMode

    def choose(self, kind: Kind, target: Target, mode: ImageMode | None = None) -> Image:
        """The image to use, without making or pulling it; `mode` overrides the user's.

        `auto` takes the official image where it is here, else the local one where that is here, else
        the official one where a registry has it, else the local one.
        """
        official = official_image(kind, target)
        mode = mode or self.mode
        if mode == "registry" or (mode == "auto" and self.containers.image_id(official.reference)):
            return official
        local = self.as_made(local_image(kind, target))
        if mode == "local" or local.toolchain:
            return local
        return official if self._registry_has(official.reference) else local

    def ensure(self, image: Image, target: Target) -> Image:
        """The image, made or pulled if it is not on this machine yet, with the toolchain of a local one.

        Raises ImageError where it can neither be pulled nor made, EngineMissing without mmdebstrap.
        """
        if self.containers.image_id(image.reference):
            return self.as_made(image)
        if image.local:
            return self.as_made(self.local.make(image.kind, target))
        self._pull(image.reference)
        return image

    def as_made(self, image: Image) -> Image:
        """A local image with the versions in its label, if it is on this machine."""
        if not image.local or image.toolchain:
            return image
        label = self.containers.label_of(image.reference, LABEL)
        return with_toolchain(image, json.loads(label)) if label else image

    def _registry_has(self, reference: str) -> bool:
        try:
            done = self.runner(
                Command(
                    argv=("docker", "manifest", "inspect", reference),
                    timeout=_REGISTRY_PROBE_SECONDS,
                )
            )
        except TimeoutError:
            return False
        return done.ok

    def _pull(self, reference: str) -> None:
        self.say(f"pulling {reference}")
        log = self.logs / "image-pull.log"
        done = self.runner(Command(argv=("docker", "pull", reference), log=log, on_line=self.on_line))
        if not done.ok:
            raise ImageError(
                f"no registry gave {reference}",
                next_step="check the network, or use `--image local` to make one from Debian packages",
                log=log,
            )


def images_of(context: Context) -> Images:
    """The images of a context's machine."""
    local = LocalImages(
        runner=context.runner,
        store=context.store,
        say=context.reporter.say,
        on_line=context.reporter.line,
        logs=context.logs,
    )
    return Images(
        runner=context.runner,
        containers=context.containers,
        local=local,
        say=context.reporter.say,
        on_line=context.reporter.line,
        logs=context.logs,
        mode=context.image_mode,
    )
