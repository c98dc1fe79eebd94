"""What the user sees: plain lines in logs, a live line on terminals, and no crash from odd output."""

from __future__ import annotations

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console

from spokeshave.machine import progress
from spokeshave.machine.progress import PlainReporter, RichReporter, _counted, make_reporter

ODD = ["[/project/source] gone", "[red]x[/]", "[/]", "a\\", "[12/340] cc -o [aka 'int']"]


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("[12/340] Compiling C object x.o", (12, 340)),
        ("  [1/2] done", (1, 2)),
        ("numpy/tests/test_x.py ..... [ 42%]", (42, 100)),
        ("[100%] done", (100, 100)),
        ("see [1/2] in the middle", None),
        ("plain text", None),
        ("", None),
    ],
)
def test_progress_is_read_from_ninja_and_pytest(line: str, counted: tuple[int, int] | None) -> None:
    assert _counted(line) == counted


def test_the_reporter_fits_where_it_writes() -> None:
    assert isinstance(make_reporter(Console(file=io.StringIO())), PlainReporter)
    assert isinstance(make_reporter(Console(file=io.StringIO(), force_terminal=True)), RichReporter)


def test_plain_lines_carry_the_time_and_are_not_wrapped() -> None:
    out = io.StringIO()
    reporter = PlainReporter(Console(file=out, width=20))
    with reporter.stage("building [demo] with a name that is longer than the terminal"):
        reporter.line("[1/2] compiling")
    first, last = out.getvalue().splitlines()
    assert first.startswith("[    0.0s] building [demo] with a name that is longer")
    assert "done: building [demo]" in last


def test_plain_lines_tell_of_long_work(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    reporter = PlainReporter(Console(file=out))
    monkeypatch.setattr(progress, "_PLAIN_EVERY_SECONDS", -1.0)
    with reporter.stage("building"):
        reporter.line("[7/9] compiling")
    assert "… building 7/9" in out.getvalue()


def test_a_failed_stage_is_not_said_to_be_done() -> None:
    for terminal in (False, True):
        out = io.StringIO()
        reporter = make_reporter(Console(file=out, force_terminal=terminal))
        with pytest.raises(RuntimeError), reporter.stage("building"):
            raise RuntimeError
        assert "done" not in out.getvalue()
        assert "✓" not in out.getvalue()


def test_a_live_line_shows_count_and_last_line() -> None:
    out = io.StringIO()
    reporter = RichReporter(Console(file=out, force_terminal=True, width=120))
    reporter.line("before any stage, which must not matter")
    with reporter.stage("building"):
        reporter.line("[7/9] Compiling C object core.o")
    assert "Compiling C object core.o" in out.getvalue()
    assert "✓" in out.getvalue().splitlines()[-1]


@pytest.mark.parametrize("line", ODD)
@pytest.mark.parametrize("way", ["line", "say"])
def test_odd_output_of_tools_is_shown_as_it_is(line: str, way: str) -> None:
    out = io.StringIO()
    reporter = RichReporter(Console(file=out, force_terminal=True, color_system=None, width=120))
    with reporter.stage("building"):
        getattr(reporter, way)(line)
    assert line in out.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_stages_of_two_threads_do_not_mix(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds run side by side: each line of output belongs to the stage of its thread."""
    monkeypatch.setattr(progress, "_PLAIN_EVERY_SECONDS", -1.0)
    out = io.StringIO()
    reporter = make_reporter(Console(file=out, force_terminal=terminal, width=100))
    barrier = threading.Barrier(2, timeout=60)

    def build(number: int) -> None:
        with reporter.stage(f"building {number}"):
            barrier.wait()
            reporter.line(f"[{number}/9] compiling")
            barrier.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(build, (1, 2)))
    said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    for number in (1, 2):
        done = f"building {number}"
        assert (f"\u2713 {done}" if terminal else f"done: {done}") in said
        assert terminal or f"\u2026 {done} {number}/9" in said
