"""`ci/rules`: checks the rules of packages and prints what each row saves."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rulecheck.check import Checked, Checker
from rulecheck.figures import with_sizes
from spokeshave.recipes.rule_book import FOLDER, rule_names, rules_of

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str]) -> int:
    """The exit code: 1 where a test differs or a row matches nothing."""
    parser = argparse.ArgumentParser(prog="ci/rules", description="Run the tests of recipes/rules.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="packages; all that have rules by default")
    parser.add_argument("--sizes", action="store_true", help="write the bytes saved into the rules")
    parser.add_argument("--no-tests", action="store_true", help="install nothing: sizes alone")
    parser.add_argument("--no-imports", action="store_true", help="skip the import of every module")
    options = parser.parse_args(argv)
    recipes = ROOT / "recipes"
    failed = False
    for name in options.names or rule_names([recipes]):
        rules = rules_of([recipes], name)
        if rules is None:
            parser.error(
                f"there are no rules for {name!r}; there are for: {', '.join(rule_names([recipes]))}"
            )
        with tempfile.TemporaryDirectory(prefix="rules-") as folder:
            checker = Checker(
                recipes=recipes,
                rules=rules,
                folder=Path(folder),
                tests=not options.no_tests,
                imports=not options.no_imports,
            )
            for checked in checker.all():
                failed |= bool(checked.faults)
                _show(name, checked)
                if options.sizes and checked.version == rules.sizes:
                    path = recipes / FOLDER / f"{name}.toml"
                    sizes = {row.name: checked.saved.get(row.name, row.saved) for row in rules.rows()}
                    path.write_text(with_sizes(path.read_text("utf-8"), sizes), "utf-8")
    return int(failed)


def _show(name: str, checked: Checked) -> None:
    for row, saved in sorted(checked.saved.items(), key=lambda item: -item[1]):
        print(f"{name} {checked.version}: {row}: {saved / 1e6:.2f} of {checked.bytes / 1e6:.2f} MB")
    print(f"{name} {checked.version}: {checked.tests} tests, {len(checked.faults)} faults", flush=True)
    for fault in checked.faults:
        print(f"  {fault}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
