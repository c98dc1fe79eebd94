"""The report's page in a real browser: drawn whole, without errors, at the width of a desk and of a phone."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from spokeshave.report.html.page import make_page
from stack import small_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--enable-logging=stderr"),
)
# Tells its frame what only a layout can tell; the page itself stays as it is.
PROBE = """<script>
const box = (element) => element.getBoundingClientRect();
const seen = (element) => box(element).width > 0;
const leaves = [...document.querySelectorAll(".leaf")];
const leaves_it = (text) => {
  const tile = box(text.parentNode.querySelector("rect"));
  return seen(text) && (box(text).right > tile.right + 1 || box(text).bottom > tile.bottom + 1);
};
parent.postMessage({
  width: innerWidth,
  overflow: document.documentElement.scrollWidth - innerWidth,
  leaves: leaves.filter(seen).length,
  tips: document.querySelectorAll(".leaf[data-tip]").length,
  bars: [...document.querySelectorAll(".bar rect")].filter(seen).length,
  background: getComputedStyle(document.body).backgroundColor,
  outside: [...document.querySelectorAll(".leaf text")].filter(leaves_it).length,
}, "*");
</script></body>"""
# A window of Chromium's is at least 500 pixels wide, a frame in it can be a phone.
FRAME = """<!doctype html><meta name="color-scheme" content="light dark"><body><script>
addEventListener("message", (event) => {
  for (const [name, value] of Object.entries(event.data)) document.body.setAttribute(`probe-${name}`, value);
});
</script><iframe src="report.html" width="WIDTH" height="800" style="border: 0"></iframe>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is on PATH: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    text = make_page({"lean": small_report()}, "spokeshave report --html report.html")
    path.write_text(text.replace("</body>", PROBE), "utf-8")
    return path


def browse(page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    profile = page.parent / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    argv = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_is_drawn_whole(page: Path, width: int, *, dark: bool) -> None:
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    frame = page.with_name("frame.html")
    frame.write_text(FRAME.replace("WIDTH", str(width)), "utf-8")
    done = browse(frame, "--dump-dom", "--virtual-time-budget=3000", "--window-size=1400,900", scheme)
    assert "CONSOLE" not in done.stderr, done.stderr
    facts = dict(re.findall(r'probe-(\w+)="([^"]*)"', done.stdout))
    assert int(facts["width"]) == width
    assert int(facts["overflow"]) <= 0
    drawn = page.read_text("utf-8").count('class="leaf"')
    assert drawn == int(facts["tips"]) > 0, "the script has run"
    assert int(facts["leaves"]) == drawn / 2, "one of the two sheets is shown"
    assert int(facts["bars"]) == page.read_text("utf-8").count('<tr class="step-')
    assert facts["outside"] == "0", "no label leaves its tile"
    assert facts["background"] == ("rgb(23, 22, 20)" if dark else "rgb(251, 250, 247)")


def test_a_picture_of_it_is_not_blank(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    browse(page, f"--screenshot={picture}", "--window-size=1280,2000")
    data = picture.read_bytes()
    assert struct.unpack(">II", data[16:24]) == (1280, 2000)
    assert len(data) > 50_000
