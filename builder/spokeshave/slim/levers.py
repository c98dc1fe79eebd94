"""The levers on one unpacked wheel, in the order in which they act."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

from spokeshave.inside.levers import lever_named
from spokeshave.inside.levers.lever import Shaved, Tree, fits
from spokeshave.slim.doc_readers import doc_readers
from spokeshave.slim.duplicates import remove_duplicates
from spokeshave.slim.header_folders import Includes, sort_includes
from spokeshave.slim.json_space import JSON, shave_json
from spokeshave.slim.model import NOT_MODULES, ON_REQUEST, Left, Saving, Settings
from spokeshave.slim.part import part_of
from spokeshave.slim.removable import SHARED_DATA, promises_of_headers, sources_to_keep, stubs_to_keep
from spokeshave.slim.stripping import strip_symbols
from spokeshave.slim.testfolders import sort_test_folders
from spokeshave.slim.wheel_layout import site_folders, sources

# Endings that the levers of recipes do not have: of other languages, and other spellings.
_MORE = {
    "sources": ("*.cc", "*.cxx", "*.c++", "*.cu", "*.f77", "*.f95", "*.f03"),
    "headers": ("*.hh", "*.hxx", "*.h++", "*.cuh"),
}


Act = Callable[[], Saving]
Spared = Mapping[str, frozenset[str]]  # for a lever of text, the modules that it leaves as they are


@dataclass(frozen=True, kw_only=True)
class Levers:
    """What acts on an unpacked wheel; `spared` are the modules that the check found to need their text."""

    tree: Tree
    settings: Settings
    spared: Spared = field(default_factory=dict)

    def pull(self, choose: Callable[[dict[str, Act]], dict[str, Act]] = dict) -> list[Saving]:
        """Pulls every lever that is on; `choose` may replace them by others."""
        acts: dict[str, Act] = {
            "tests": self.tests,
            "typing": self.typing,
            "sources": self.sources,
            "headers": self.headers,
            "duplicates": self.duplicates,
            "json": self.json,
            **{name: partial(self.modules, name) for name in ON_REQUEST},
            "symbols": self.symbols,
        }
        done = [self._watched(act) for name, act in choose(acts).items() if name in self.settings.levers]
        if any(row.files for row in done if row.lever in ON_REQUEST):
            done.append(self.bytecode())
        return done

    def _watched(self, act: Callable[[], Saving]) -> Saving:
        """What a lever took, with the folders that it left empty."""
        before = self._folders()
        done = act()
        return replace(done, folders=_outermost(before - self._folders()))

    def _folders(self) -> frozenset[PurePosixPath]:
        names = (PurePosixPath(self.tree.name(path)) for path in self.tree.files())
        return frozenset(folder for name in names for folder in name.parents)

    def tests(self) -> Saving:
        """Removes whole folders, so that no half of a test package is left; --keep keeps files in them."""
        removed, kept = sort_test_folders(self.tree.root)
        files = [
            path
            for folder in removed
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not self._kept("tests", path)
        ]
        saved = sum(self.tree.move_to_tests(path) for path in files)
        return Saving(lever="tests", saved=saved, files=len(files), left=kept)

    def typing(self) -> Saving:
        return self._shave("typing", hidden=stubs_to_keep(self.tree))

    def sources(self) -> Saving:
        """Sources in a folder of headers are kept or removed with the headers."""
        return self._shave("sources", hidden=self._named | self._includes.inside)

    def headers(self) -> Saving:
        """Headers and, with a whole include folder, all else that compilers read in it."""
        whole = self._drop("headers", self._includes.removed - self._named)
        done = self._shave("headers", hidden=self._named | self._includes.kept)
        all_removed = done.files + whole.files and not self._includes.kept
        notes = promises_of_headers(sources(self.tree.root)) if all_removed else ()
        return replace(
            done, saved=done.saved + whole.saved, files=done.files + whole.files, notes=(*done.notes, *notes)
        )

    def duplicates(self) -> Saving:
        files = [path for path in self.tree.files() if not self._kept("duplicates", path, SHARED_DATA)]
        shaved, left = remove_duplicates(self.tree, files, sources(self.tree.root))
        return _saving("duplicates", shaved, left)

    def json(self) -> Saving:
        skip = (*SHARED_DATA, "*.dist-info/*")
        files = [path for path in self.tree.matching(JSON) if not self._kept("json", path, skip)]
        return _saving("json", shave_json(self.tree, files))

    def modules(self, name: str) -> Saving:
        """A lever of text; it leaves modules that need theirs as they are."""
        why: dict[str, str] = {}
        if name == "docstrings":
            why |= doc_readers(sources(self.tree.root))
        for member in installed(self.tree, self.spared.get(name, frozenset())):
            why[member] = "the check found that they need them"
        left = tuple(
            Left(
                name=member,
                reason=f"modules keep their {name}: {reason}",
                size=(self.tree.root / member).stat().st_size,
            )
            for member, reason in sorted(why.items())
        )
        done = self._shave(name, hidden=frozenset(why), globs=NOT_MODULES)
        return replace(done, left=left)

    def symbols(self) -> Saving:
        keep = frozenset(path for path in self.tree.files() if self._kept("symbols", path))
        return _saving("symbols", *strip_symbols(self.tree, keep))

    def bytecode(self) -> Saving:
        """Bytecode that the wheel brings along would hide the changed modules; pip writes it anew."""
        found = self.tree.matching(("*/__pycache__/*.pyc",))
        stale = [path for path in found if (path.parent.parent / f"{path.name.split('.')[0]}.py").is_file()]
        saved = sum(path.stat().st_size for path in stale)
        for path in stale:
            path.unlink()
        return Saving(lever="bytecode", saved=saved, files=len(stale))

    @cached_property
    def _named(self) -> frozenset[str]:
        """Sources and headers that modules name; the search reads every module."""
        return sources_to_keep(self.tree)

    @cached_property
    def _includes(self) -> Includes:
        """What happens to whole folders of headers."""
        return sort_includes([self.tree.name(path) for path in self.tree.files()], self._named)

    def _kept(self, lever: str, path: Path, more: tuple[str, ...] = ()) -> bool:
        return fits(self.tree.name(path), (*self.settings.kept_by(lever), *more))

    def _drop(self, lever: str, names: frozenset[str]) -> Shaved:
        found = [path for name in sorted(names) if (path := self.tree.root / name).is_file()]
        found = [path for path in found if not self._kept(lever, path)]
        saved = sum(path.stat().st_size for path in found)
        for path in found:
            path.unlink()
        return Shaved(saved=saved, files=len(found))

    def _shave(self, name: str, *, hidden: frozenset[str], globs: tuple[str, ...] = ()) -> Saving:
        act = lever_named(name).shave
        assert act is not None
        options = {"keep": (*self.settings.kept_by(name), *globs), "match": _MORE.get(name, ())}
        return _saving(name, act(part_of(self.tree, hidden), options))


def installed(tree: Tree, names: frozenset[str]) -> Iterator[str]:
    """The files of these names in site-packages, by their names in the wheel."""
    places = (site / name for name in sorted(names) for site in site_folders(tree.root))
    return (tree.name(path) for path in places if path.is_file())


def _saving(lever: str, done: Shaved, left: tuple[Left, ...] = ()) -> Saving:
    notes = (done.note,) if done.note else ()
    return Saving(lever=lever, saved=done.saved, files=done.files, notes=notes, left=left)


def _outermost(folders: Collection[PurePosixPath]) -> tuple[str, ...]:
    return tuple(sorted(str(folder) for folder in folders if folder.parent not in folders))
