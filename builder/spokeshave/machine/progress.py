"""What the user sees during work: stages with elapsed time, on stderr."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

_COUNT = re.compile(r"^\s*\[(\d+)/(\d+)\]|\[\s*(\d+)%\]")
_PLAIN_EVERY_SECONDS = 30.0


class Reporter(Protocol):
    """Receives what happens."""

    def say(self, text: str) -> None:
        """One line for the user."""
        ...

    def line(self, text: str) -> None:
        """One line of a running tool's output, from which progress is read."""
        ...

    def stage(self, title: str) -> contextlib.AbstractContextManager[None]:
        """Marks a stage of the work; nested stages are not needed."""
        ...


class PlainReporter:
    """Lines with elapsed time, for logs and pipes; at most one progress line in half a minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = self._last = time.monotonic()
        self._title = ""

    def say(self, text: str) -> None:
        elapsed = time.monotonic() - self._started
        self._console.print(f"[{elapsed:7.1f}s] {text}", markup=False, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last > _PLAIN_EVERY_SECONDS:
            self._last = now
            counted = _counted(text)
            self.say(f"  … {self._title}" + (f" {counted[0]}/{counted[1]}" if counted else ""))

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[None]:
        outer, started = self._title, time.monotonic()
        self._title, self._last = title, started
        self.say(title)
        try:
            yield
        finally:
            self._title = outer
        self.say(f"  done: {title} ({time.monotonic() - started:.1f} s)")


class RichReporter:
    """A live line with spinner, count and elapsed time, for terminals."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        counted = _counted(text)
        if self._progress is None or self._task is None:
            return
        if counted:
            self._progress.update(self._task, completed=counted[0], total=counted[1])
        self._progress.update(self._task, last=text.strip()[:60])

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[last]}", style="dim", markup=False),
        )
        with Progress(*columns, console=self._console, transient=True) as progress:
            self._progress = progress
            self._task = progress.add_task(title, total=None, last="")
            try:
                yield
            finally:
                self._progress = self._task = None
        self._console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - started:.1f} s[/]")


def _counted(text: str) -> tuple[int, int] | None:
    """Steps done and in all, read from a line of ninja (`[12/340]`) or pytest (`[ 42%]`)."""
    found = _COUNT.search(text)
    if not found:
        return None
    if found[3]:
        return int(found[3]), 100
    return int(found[1]), int(found[2])


def make_reporter(console: Console) -> Reporter:
    """The reporter that fits: live on a terminal, plain lines elsewhere."""
    return RichReporter(console) if console.is_terminal else PlainReporter(console)
