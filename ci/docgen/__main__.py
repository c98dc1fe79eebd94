"""`ci/tables`: writes the generated regions, or checks them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from docgen import benched, catalogue, regions, reported

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str]) -> int:
    """The exit code: 1 where `--check` finds a table out of date."""
    parser = argparse.ArgumentParser(
        prog="ci/tables", description="Write the generated tables of README.md and docs/."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail where a table is out of date"
    )
    parser.add_argument(
        "--sizes", type=Path, metavar="FILE", help="JSON of `spokeshave report`: update the sizes first"
    )
    parser.add_argument(
        "--speed",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="JSON of `spokeshave bench --exhaustive`: update the speed first",
    )
    options = parser.parse_args(argv)
    if options.sizes:
        path = ROOT / "docs" / "data" / "sizes.toml"
        report = json.loads(options.sizes.read_text("utf-8"))
        today = datetime.now(UTC).date().isoformat()
        path.write_text(reported.updated(path.read_text("utf-8"), report, today), "utf-8")
    if options.speed:
        path = ROOT / "docs" / "data" / "speed.toml"
        reports = [one for file in options.speed for one in json.loads(file.read_text("utf-8"))]
        path.write_text(benched.updated(path.read_text("utf-8"), reports), "utf-8")
    stale = regions.outdated(ROOT, catalogue.makers(ROOT))
    for page, text in stale.items():
        if not options.check:
            page.write_text(text, "utf-8")
        print(f"{'outdated' if options.check else 'written'}: {page.relative_to(ROOT)}", file=sys.stderr)
    if stale and options.check:
        print("next: ci/tables", file=sys.stderr)
    return int(bool(stale) and options.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
