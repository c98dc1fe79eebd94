"""What the committed verification records and the recipes say about packages and profiles."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docgen.markdown import table

_FIRST = ("lean", "full", "sklearn")
_PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "openblas")


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """The recipes, profiles and records below one folder."""

    root: Path

    def recipes(self) -> list[dict[str, Any]]:
        """All recipes: those with records first."""
        found = [_toml(path) for path in self.root.glob("*/recipe.toml")]
        return sorted(found, key=lambda one: (_place(one["name"], _PACKAGES), one["name"]))

    def profiles(self) -> list[dict[str, Any]]:
        """All profiles: those with records first."""
        found = [_toml(path) for path in self.root.glob("profiles/*.toml")]
        return sorted(found, key=lambda one: (_place(one["name"], _FIRST), one["name"]))

    def records(self) -> list[dict[str, Any]]:
        """All verification records of level `full` that passed."""
        found = [json.loads(path.read_text("utf-8")) for path in self.root.glob("proofs/**/*.json")]
        full = [one for one in found if one["level"] == "full" and one["passed"]]
        return sorted(
            full, key=lambda one: (_place(one["profile"], _FIRST), _place(one["recipe"], _PACKAGES))
        )


def support(book: Book) -> str:
    """What can be built: version, target, and the profiles with a record."""
    rows = []
    for recipe in book.recipes():
        records = [one for one in book.records() if one["recipe"] == recipe["name"]]
        targets = {one["target"] for one in records} or {
            target for version in recipe["versions"] for target in version.get("stock", ())
        }
        versions = ", ".join(version["version"] for version in recipe["versions"])
        profiles = ", ".join(f"`{one['profile']}`" for one in records) or "draft"
        rows.append([f"`{recipe['name']}`", versions, ", ".join(sorted(targets)) or "any", profiles])
    return table(["recipe", "versions", "target", "verified profiles"], rows)


def passed(record: dict[str, Any]) -> list[str]:
    """The number of tests that pass with our wheel and with the PyPI wheel."""
    return [f"{record['outcomes'][side]['passed']:,}" for side in ("ours", "stock")]


def outcomes(book: Book) -> str:
    """The tests that pass, by profile and package, and why ours are fewer."""
    rows = []
    for one in book.records():
        if not one["outcomes"]["stock"]:
            continue
        skipped, removed = sum(one["left out"].values()), sum(one["removed"].values())
        both = len(one["failing on stock too"])
        rows.append(
            [f"`{one['profile']}`", one["recipe"], *passed(one), f"{skipped:,}", f"{removed:,}", f"{both:,}"]
        )
    header = [
        "profile",
        "package",
        "ours",
        "PyPI",
        "skipped with a reason",
        "of removed components",
        "fail in both",
    ]
    return table(header, rows, numbers=5)


def reasons(book: Book) -> str:
    """Why tests are skipped, and of which components others are: the texts of the recipes, by profile."""
    rows = []
    for one in book.records():
        why = {**one["left out"], **{f"component `{name}`": count for name, count in one["removed"].items()}}
        rows += [
            [f"`{one['profile']}`", one["recipe"], reason, f"{count:,}"] for reason, count in why.items()
        ]
    return table(["profile", "package", "reason", "tests"], rows, numbers=1)


def wheels(book: Book) -> str:
    """The size of each verified wheel, from its record."""
    rows = [
        [
            f"`{one['profile']}`",
            f"`{one['wheel']['name']}`",
            *(f"{one['wheel'][key] / 1e6:.2f}" for key in ("bytes", "unpacked")),
        ]
        for one in book.records()
    ]
    return table(["profile", "wheel", "file, MB", "unpacked, MB"], rows, numbers=2)


def profiles(book: Book) -> str:
    """The profiles that ship, with what each of them switches."""
    verified = {one["profile"] for one in book.records()}
    rows = [
        [
            f"`{one['name']}`",
            f"`{one['extends']}`" if "extends" in one else "",
            one["summary"],
            len(one.get("remove", ())),
            "yes" if one["name"] in verified else "no (draft)",
        ]
        for one in book.profiles()
    ]
    return table(["profile", "extends", "summary", "own removals", "verified at `full`"], rows)


def _place(name: str, first: tuple[str, ...]) -> int:
    return first.index(name) if name in first else len(first)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))
