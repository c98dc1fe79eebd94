"""Which rules act on a PyPI wheel: those of its package that hold for its version and architecture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from spokeshave.errors import UsageFault
from spokeshave.inside.model import digest_of
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.rule_book import check_removals, rule_names, rules_of
from spokeshave.recipes.rule_schema import PartTable, RowTable, RulesFile
from spokeshave.slim.model import RULES, Settings, Stock

_ARCHES = ("x86_64", "aarch64")


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The rows that act on one wheel, in their order; `skipped` says why rules that there are do not act.

    `keep` are globs of files that no other lever may touch, `lost` those of modules and names that removed
    components take along.
    """

    stock: Stock
    rows: tuple[RowTable, ...] = ()
    keep: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def package(self) -> str:
        """The normalized name of the package."""
        return canonicalize_name(self.stock.project)

    @property
    def removed(self) -> tuple[str, ...]:
        """The components that are removed, as `PACKAGE/COMPONENT`."""
        return tuple(f"{self.package}/{row.name}" for row in self.rows if isinstance(row, PartTable))

    @property
    def digest(self) -> str:
        """The sha256 (hex) of the rows: a key of the slim wheel holds it, with wheel, settings and code."""
        rows = [row.model_dump(mode="json", exclude={"saved", "test"}) for row in self.rows]
        return digest_of({"rows": rows, "keep": self.keep, "skipped": self.skipped})

    @property
    def lost(self) -> tuple[str, ...]:
        return tuple(glob for row in self.rows if isinstance(row, PartTable) for glob in row.lost)


def refuse_unknown(folders: Sequence[Path], settings: Settings, stocks: Iterable[Stock]) -> None:
    """Raises RecipeError for a component that no rules offer, UsageFault for what cannot have an effect."""
    if RULES not in settings.levers and (settings.remove or settings.locales):
        raise UsageFault(
            "--remove and --locales are about rules, which --without rules switches off",
            next_step="omit one of them; --keep GLOB leaves files as they are",
        )
    check_removals(folders, settings.remove)
    present = sorted({canonicalize_name(stock.project) for stock in stocks})
    for wanted in settings.remove:
        if wanted.partition("/")[0] not in present:
            raise UsageFault(
                f"--remove {wanted}: none of the wheels is of that package; they are of {', '.join(present)}",
                next_step="name that package too, or omit the option",
            )


def with_profile(book: RecipeBook, settings: Settings, profile: str) -> Settings:
    """The settings with the components of rules that a profile removes, if one is named.

    Raises RecipeError where there is no such profile, or where it removes what no rules offer.
    """
    rows = book.profile(profile).remove if profile else ()
    ruled = rule_names(book.folders)
    named = [row.component for row in rows if row.component.partition("/")[0] in ruled]
    check_removals(book.folders, named)
    return replace(settings, remove=tuple(dict.fromkeys((*settings.remove, *named))))


def choose(folders: Sequence[Path], stock: Stock, settings: Settings, *, drafts: bool = False) -> Chosen:
    """The rows for a wheel: all rules, the components that the settings name, data by language on request.

    Drafts act only with `drafts`. Raises RecipeError where the file of the rules is malformed.
    """
    name = canonicalize_name(stock.project)
    rules = rules_of(folders, name) if RULES in settings.levers else None
    if rules is None or (rules.draft and not drafts):
        return Chosen(stock=stock)
    version = str(stock.version)
    if not rules.admits(version):
        why = f"the rules of {name} are for versions {rules.versions}: they do not act on {version}"
        return Chosen(stock=stock, skipped=why)
    return Chosen(
        stock=stock,
        rows=tuple(_rows(rules, settings, version, _arch(stock))),
        keep=tuple(glob for row in rules.keep if row.holds(version) for glob in row.files),
    )


def _rows(rules: RulesFile, settings: Settings, version: str, arch: str) -> Iterator[RowTable]:
    named = [row for row in rules.components if f"{rules.name}/{row.name}" in settings.remove]
    by_language = rules.locales if settings.locales else ()
    yield from (row for row in (*rules.rules, *named, *by_language) if row.holds(version, arch))


def _arch(stock: Stock) -> str:
    return next((arch for arch in _ARCHES if stock.name.platform.endswith(arch)), "")
