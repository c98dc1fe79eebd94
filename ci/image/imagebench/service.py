"""The service at work in a container without a network: its tests, and its start and memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

from spokeshave.api import Command, Context, ImageError, VerifyError

PORT = 8080


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Numbers of the service's tests by result."""

    passed: int
    failed: int
    skipped: int

    @property
    def good(self) -> bool:
        return self.passed > 0 and not self.failed and not self.skipped


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """One start: seconds to the first healthy answer, and bytes, resident then and after work."""

    seconds: float
    idle_rss: int
    idle_pss: int
    worked_rss: int
    worked_pss: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """The median of measurements, the least and the greatest."""

    mid: float
    low: float
    high: float


def spread(values: list[float]) -> Spread:
    """Of at least one measurement."""
    return Spread(mid=median(values), low=min(values), high=max(values))


def run_tests(context: Context, image: str, tests: Path) -> Counts:
    """Runs the service's tests in the image; raises VerifyError if pytest itself fails."""
    log = context.logs / "image-tests.log"
    with context.store.scratch() as out, context.reporter.stage(f"the service's tests in {image}"):
        done = context.containers.run(
            image=image,
            folders={tests: "/tmp/tests"},
            argv=("python", "-m", "pytest", "--junit-xml=/tmp/out/junit.xml", "/tmp/tests"),
            collect={"/tmp/out": out},
            env={"PYTHONPATH": "/srv/app:/tmp/tests/lib"},
            log=log,
            on_line=context.reporter.line,
        )
        junit = out / "junit.xml"
        if not junit.is_file():
            last = "\n".join(done.output.splitlines()[-6:])
            raise VerifyError(f"the service's tests did not run in {image}:\n{last}", log=log)
        return parse_junit(junit.read_text("utf-8"))


def parse_junit(text: str) -> Counts:
    """The counts of pytest's JUnit XML."""
    suites = list(ElementTree.fromstring(text).iter("testsuite"))

    def count(name: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites)

    failed, skipped = count("failures") + count("errors"), count("skipped")
    return Counts(passed=count("tests") - failed - skipped, failed=failed, skipped=skipped)


def start_once(context: Context, image: str) -> Start:
    """Starts the service as the image does; raises VerifyError if it does not become healthy."""
    command = _command(context, image)
    with context.store.scratch() as scratch:
        folder = scratch / "probe"  # readable for the image's user
        folder.mkdir()
        shutil.copy(Path(__file__).with_name("probe.py"), folder)
        done = context.containers.run(
            image=image,
            folders={folder: "/tmp/probe"},
            argv=("python", "/tmp/probe/probe.py", str(PORT), *command),
            collect={},
            log=context.logs / "image-starts.log",
        )
    if not done.ok:
        last = "\n".join(done.output.splitlines()[-6:])
        raise VerifyError(f"the service did not work in {image}:\n{last}")
    return parse_start(done.output.splitlines()[-1])


def parse_start(line: str) -> Start:
    """The line that probe.py prints."""
    data = json.loads(line)
    return Start(
        seconds=data["seconds"],
        idle_rss=data["idle"]["rss"],
        idle_pss=data["idle"]["pss"],
        worked_rss=data["worked"]["rss"],
        worked_pss=data["worked"]["pss"],
    )


def interleaved_starts(
    context: Context, images: Mapping[str, str], runs: int
) -> dict[str, tuple[Start, ...]]:
    """Starts of each image, by its side, in the order A B, B A, …; a first start is not counted."""
    found: dict[str, list[Start]] = {side: [] for side in images}
    with context.reporter.stage(f"{runs} starts of each image, interleaved"):
        for image in images.values():
            start_once(context, image)
        for turn in range(runs):
            for side in list(images)[:: -1 if turn % 2 else 1]:
                found[side].append(start_once(context, images[side]))
                context.reporter.line(f"[{turn + 1}/{runs}] {side}")
    return {side: tuple(starts) for side, starts in found.items()}


def _command(context: Context, image: str) -> tuple[str, ...]:
    done = context.runner(
        Command(argv=("docker", "image", "inspect", "--format", "{{json .Config.Cmd}}", image))
    )
    if not done.ok:
        raise ImageError(f"docker has no image {image}: {done.output.strip()}")
    return tuple(json.loads(done.output))
