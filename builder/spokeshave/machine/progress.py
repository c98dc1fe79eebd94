"""What the user sees during work: stages with elapsed time, on stderr."""

from __future__ import annotations

import contextlib
import re
import threading
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


class _Stage(threading.local):
    """The stage that a thread is in."""

    title = ""
    last = 0.0
    task: TaskID | None = None


class PlainReporter:
    """Lines with elapsed time, for logs and pipes; at most one progress line of a stage in half a minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._stage = _Stage()

    def say(self, text: str) -> None:
        elapsed = time.monotonic() - self._started
        self._console.print(f"[{elapsed:7.1f}s] {text}", markup=False, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        now = time.monotonic()
        if now - max(self._stage.last, self._started) > _PLAIN_EVERY_SECONDS:
            self._stage.last = now
            counted = _counted(text)
            self.say(f"  … {self._stage.title}" + (f" {counted[0]}/{counted[1]}" if counted else ""))

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[None]:
        outer, started = self._stage.title, time.monotonic()
        self._stage.title, self._stage.last = title, started
        self.say(title)
        try:
            yield
        finally:
            self._stage.title = outer
        self.say(f"  done: {title} ({time.monotonic() - started:.1f} s)")


class RichReporter:
    """A live line with spinner, count and elapsed time for each stage that runs, for terminals."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = _Stage()
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._running = 0

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        progress, task = self._progress, self._stage.task
        if progress is None or task is None:
            return
        if counted := _counted(text):
            progress.update(task, completed=counted[0], total=counted[1])
        progress.update(task, last=text.strip()[:60])

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        progress = self._enter()
        outer, self._stage.task = self._stage.task, progress.add_task(title, total=None, last="")
        try:
            yield
        finally:
            self._leave(progress, self._stage.task)
            self._stage.task = outer
        self._console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - started:.1f} s[/]")

    def _enter(self) -> Progress:
        """The one live display of all threads, started with the first stage."""
        with self._lock:
            if self._progress is None:
                self._progress = Progress(
                    SpinnerColumn(),
                    TextColumn("{task.description}", markup=False),
                    BarColumn(bar_width=24),
                    TimeElapsedColumn(),
                    TextColumn("{task.fields[last]}", style="dim", markup=False),
                    console=self._console,
                    transient=True,
                )
                self._progress.start()
            self._running += 1
            return self._progress

    def _leave(self, progress: Progress, task: TaskID) -> None:
        with self._lock:
            self._running -= 1
            if self._running:
                progress.remove_task(task)
            else:
                progress.stop()
                self._progress = None


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
