"""A local image has one digest: before and after it is made, in `plan` and in `build`."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from spokeshave.build import pipeline
from spokeshave.build.images.choice import images_of
from spokeshave.context import Context
from support import TARGET, docker_fault, make_context

pytestmark = pytest.mark.docker


def local_context(tmp_path: Path) -> Context:
    if fault := docker_fault():
        pytest.skip(fault)
    return replace(make_context(tmp_path), image_mode="local")


def test_image_made_twice_has_one_digest(tmp_path: Path) -> None:
    """The same versions of Debian's packages make the same key, here and on another machine."""
    images = images_of(local_context(tmp_path))
    first = images.as_made(images.local.make("run", TARGET))
    asked = images.choose("run", TARGET)
    assert asked == images.ensure(asked, TARGET) == first
    assert first.toolchain["python3.11"].startswith("3.11.")
    subprocess.run(["docker", "image", "rm", "--force", first.reference], check=True, capture_output=True)
    absent = images.choose("run", TARGET)
    assert not absent.toolchain
    assert absent.digest != first.digest
    assert images.ensure(absent, TARGET) == first == images.choose("run", TARGET)


def test_environment_of_plan_is_that_of_build(tmp_path: Path) -> None:
    """A build makes the image first. `plan` does not, and finds what the build has stored."""
    context = local_context(tmp_path)
    if not images_of(context).choose("build", TARGET).toolchain:
        pytest.skip("the build image is not made yet")
    planned = pipeline.environment(context, "docker", TARGET)
    assert planned == pipeline.environment(context, "docker", TARGET, ready=True)
    assert planned.is_known
