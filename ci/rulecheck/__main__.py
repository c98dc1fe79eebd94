"""`ci/rules`: checks the rules of packages and prints what each row saves."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rulecheck.check import Checked, Checker
from rulecheck.figures import with_sizes, without_draft
from spokeshave.recipes.rule_book import FOLDER, rule_names, rules_of
from spokeshave.recipes.rule_schema import RulesFile

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
            checks = []
            for checked in checker.all():
                checks.append(checked)
                _show(name, checked)
        faults = any(checked.faults for checked in checks)
        failed |= faults
        if options.sizes:
            whole = not (faults or options.no_tests or options.no_imports)
            _write(recipes / FOLDER / f"{name}.toml", rules, checks[0], whole=whole)
    return int(failed)


def _write(path: Path, rules: RulesFile, checked: Checked, *, whole: bool) -> None:
    """Writes the bytes saved; rules whose whole check has passed are no draft."""
    sizes = {row.name: checked.saved.get(row.name, row.saved) for row in rules.rows()}
    text = with_sizes(path.read_text("utf-8"), sizes)
    path.write_text(without_draft(text) if whole else text, "utf-8")


def _show(name: str, checked: Checked) -> None:
    for row, saved in sorted(checked.saved.items(), key=lambda item: -item[1]):
        print(f"{name} {checked.version}: {row}: {saved / 1e6:.2f} of {checked.bytes / 1e6:.2f} MB")
    print(f"{name} {checked.version}: {checked.tests} tests, {len(checked.faults)} faults", flush=True)
    for fault in checked.faults:
        print(f"  {fault}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
