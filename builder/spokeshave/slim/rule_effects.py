"""The effect of the rules on an unpacked PyPI wheel, with the bytes that each row saves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from spokeshave.inside.levers.lever import Tree, fits
from spokeshave.recipes.rule_schema import LOCALE, LocaleTable, MinifyTable, PartTable, RowTable, RuleTable
from spokeshave.slim.locales import found_in, is_kept, normal, starts_alike
from spokeshave.slim.minify import minify
from spokeshave.slim.model import RULES, Saving, Settings
from spokeshave.slim.rule_stubs import Removal, module_files, remove
from spokeshave.slim.rules import Chosen


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """The effect of rules on a wheel: bytes saved by row, and the files removed, by their names in it."""

    savings: tuple[Saving, ...] = ()
    removed: frozenset[str] = frozenset()


def apply(chosen: Chosen, tree: Tree, settings: Settings) -> Applied:
    """Removes and rewrites what the rows name; files that `--keep` names are left as they are.

    A pattern or module of a row that the wheel does not have is noted: the row claims its version.
    """
    if chosen.skipped:
        return Applied(savings=(Saving(lever=RULES, saved=0, files=0, notes=(chosen.skipped,)),))
    done = [_apply(chosen, row, tree, settings) for row in chosen.rows]
    return Applied(
        savings=tuple(saving for saving, _ in done),
        removed=frozenset(name for _, names in done for name in names),
    )


def _apply(chosen: Chosen, row: RowTable, tree: Tree, settings: Settings) -> tuple[Saving, list[str]]:
    search = _Search(tree=tree, keep=(*settings.keep, *row.keep), about=f"{chosen.stock.version}")
    rewritten: list[int] = []
    modules: tuple[str, ...] = ()
    if isinstance(row, RuleTable):
        files = search.matching(row.remove)
        rewritten = [saved for how in row.minify for saved in _minified(search, how)]
    elif isinstance(row, PartTable):
        files, modules = _of_component(search, row)
    else:
        assert isinstance(row, LocaleTable)
        files, modules = _of_locales(search, row, settings.locales)
    names = [tree.name(path) for path in files]
    saved = sum(rewritten)
    if isinstance(row, RuleTable):
        saved += _delete(files)
    elif files:
        saved += remove(tree, _removal(chosen, row, files, modules, settings))
    count = len(files) + len(rewritten)
    return Saving(lever=f"{RULES}/{row.name}", saved=saved, files=count, notes=tuple(search.notes)), names


@dataclass(frozen=True, kw_only=True)
class _Search:
    """The files of a wheel that patterns fit; `notes` says which fit none in the version `about`."""

    tree: Tree
    keep: tuple[str, ...]
    about: str
    notes: list[str] = field(default_factory=list)

    def matching(self, globs: Iterable[str]) -> list[Path]:
        """The files that some glob fits, sorted, without those to keep."""
        names = {self.tree.name(path): path for path in self.tree.files()}
        found: set[str] = set()
        for glob in globs:
            matched = {name for name in names if fits(name, (glob,))}
            if not matched:
                self.miss(repr(glob))
            found |= matched
        return self.without_kept(names[name] for name in found)

    def without_kept(self, paths: Iterable[Path]) -> list[Path]:
        """The files that are not to keep, sorted."""
        return sorted({path for path in paths if not fits(self.tree.name(path), self.keep)})

    def miss(self, what: str) -> None:
        """Notes what a row names and the wheel does not have."""
        self.notes.append(f"{what} matches nothing in {self.about}, which the row is for: update the rules")


def _minified(search: _Search, how: MinifyTable) -> list[int]:
    """The bytes saved in each file that became smaller."""
    saved = []
    for path in search.matching(how.files):
        try:
            saved.append(minify(path, how))
        except (ValueError, OSError, EOFError) as fault:
            search.notes.append(f"{search.tree.name(path)} is kept as it is: {fault}")
    return [one for one in saved if one]


def _delete(files: Iterable[Path]) -> int:
    saved = 0
    for path in files:
        saved += path.stat().st_size
        path.unlink()
    return saved


def _of_component(search: _Search, row: PartTable) -> tuple[list[Path], tuple[str, ...]]:
    """Files and modules of a component; neither where the wheel lacks a module: it is another shape."""
    by_module = {module: list(module_files(search.tree, module)) for module in row.modules}
    if absent := [module for module, files in by_module.items() if not files]:
        search.miss(f"module {absent[0]}")
        return [], ()
    own = search.without_kept(path for files in by_module.values() for path in files)
    return sorted({*own, *search.matching(row.remove)}), row.modules


def _of_locales(
    search: _Search, row: LocaleTable, chosen: tuple[str, ...]
) -> tuple[list[Path], tuple[str, ...]]:
    """Files and modules of the languages that are not kept."""
    names = {search.tree.name(path): path for path in search.tree.files()}
    folders = tuple(f"{module.replace('.', '/')}/*" for module in row.modules)
    found = dict(found_in(names, (*row.remove, *folders)))
    if not found:
        search.miss(repr((*row.remove, *folders)[0]))
    others = {name: locale for name, locale in found.items() if not is_kept(locale, row, chosen)}
    languages = sorted(set(others.values()))
    there = {normal(locale) for locale in found.values()}
    for one in (name for name in chosen if not any(starts_alike(name, other) for other in there)):
        search.notes.append(f"there is no data of the locale {one!r}")
    modules = tuple(one.replace(LOCALE, locale) for one in row.modules for locale in languages)
    return search.without_kept(names[name] for name in others), modules


def _removal(
    chosen: Chosen,
    row: RowTable,
    files: list[Path],
    modules: tuple[str, ...],
    settings: Settings,
) -> Removal:
    assert isinstance(row, PartTable | LocaleTable)
    project = chosen.stock.project
    named = f"--remove {chosen.package}/{row.name}"
    return Removal(
        component=row.name,
        files=tuple(files),
        modules=modules,
        project=project,
        version=chosen.stock.slim_version(settings.build),
        option="--locales" if isinstance(row, LocaleTable) else named,
        reason=row.reason,
        missed=row.missed,
    )
