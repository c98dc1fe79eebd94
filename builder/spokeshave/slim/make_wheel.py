"""From a PyPI wheel to a slim one: unpack, apply the levers, relabel, describe, pack."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

from spokeshave import __version__
from spokeshave.errors import WheelError
from spokeshave.inside import wheel as wheels
from spokeshave.inside.levers import lever_named
from spokeshave.inside.levers.lever import Tree, fits
from spokeshave.inside.model import file_sha256
from spokeshave.inside.sizes import sizes
from spokeshave.slim.header_folders import Includes, sort_includes
from spokeshave.slim.metadata_fields import replace_field
from spokeshave.slim.model import ON_REQUEST, Saving, Settings, Slimmed, Stock
from spokeshave.slim.removable import promises_of_headers, sources_to_keep, stubs_to_keep
from spokeshave.slim.rule_effects import apply
from spokeshave.slim.rules import Chosen
from spokeshave.slim.stripping import strip_symbols
from spokeshave.slim.testfolders import sort_test_folders
from spokeshave.slim.wheel_layout import sources

_NOT_MODULES = ("*.data/data/*", "*.data/scripts/*", "*.data/headers/*")


def slim(
    stock: Stock, settings: Settings, *, output: Path, scratch: Path, rules: Chosen | None = None
) -> Slimmed:
    """Writes the slim wheel into `output`; `scratch` is an empty folder to work in.

    The `rules` act before the levers.

    The same wheel and settings give the same bytes. Raises WheelError where RECORD is signed and the
    signature may not go, and EngineMissing where a lever's tool is not on this machine.
    """
    if stock.signatures and not settings.drop_signature:
        raise WheelError(
            f"{stock.path}: RECORD is signed ({stock.signatures[0]}), and a changed wheel cannot keep that",
            next_step="give --drop-signature if nothing of yours checks it",
        )
    tree = Tree(root=wheels.unpack(stock.path, scratch / "tree"), tests=scratch / "tests")
    tree.tests.mkdir()
    names = {tree.name(path) for path in tree.files()}
    rules = rules or Chosen(stock=stock)
    applied = apply(rules, tree, settings)
    settings = replace(settings, remove=rules.removed)
    pulled = _Pull(tree=tree, settings=replace(settings, keep=(*settings.keep, *rules.keep))).all()
    gone = (names - {tree.name(path) for path in tree.files()}) | applied.removed
    final = _finish(stock, settings, tree, output)
    return Slimmed(
        stock=stock,
        wheel=final,
        sha256=file_sha256(final),
        settings=settings,
        before=sizes(stock.path),
        after=sizes(final),
        savings=(*applied.savings, *pulled),
        gone=tuple(sorted(gone)),
        lost=rules.lost,
    )


@dataclass(frozen=True, kw_only=True)
class _Pull:
    """The levers on one unpacked wheel, in the order in which they act."""

    tree: Tree
    settings: Settings

    def all(self) -> list[Saving]:
        """Pulls every lever that is on."""
        acts: dict[str, Callable[[], Saving]] = {
            "tests": self.tests,
            "typing": self.typing,
            "sources": self.sources,
            "headers": self.headers,
            **{name: partial(self.modules, name) for name in ON_REQUEST},
            "symbols": self.symbols,
        }
        done = [self._watched(act) for name, act in acts.items() if name in self.settings.levers]
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
            for path in self.tree.files()
            if any(path.is_relative_to(folder) for folder in removed) and not self._kept(path)
        ]
        saved = sum(self.tree.move_to_tests(path) for path in files)
        notes = tuple(
            f"{name} is kept ({_size(self.tree.root / name):,} bytes): {reason}"
            for name, reason in sorted(kept.items())
        )
        return Saving(lever="tests", saved=saved, files=len(files), notes=notes)

    def typing(self) -> Saving:
        return self._shave("typing", keep=stubs_to_keep(self.tree))

    def sources(self) -> Saving:
        """Sources in a folder of headers are kept or removed with the headers."""
        return self._shave("sources", keep=self._named | self._includes.inside)

    def headers(self) -> Saving:
        """Headers and, with a whole include folder, all else that compilers read in it."""
        done = self._shave("headers", keep=self._named | self._includes.kept, match=self._includes.removed)
        all_removed = done.files and not self._includes.kept
        notes = promises_of_headers(sources(self.tree.root)) if all_removed else ()
        return Saving(lever="headers", saved=done.saved, files=done.files, notes=(*done.notes, *notes))

    def modules(self, name: str) -> Saving:
        return self._shave(name, keep=frozenset(), globs=_NOT_MODULES)

    def symbols(self) -> Saving:
        keep = frozenset(path for path in self.tree.files() if self._kept(path))
        shaved, notes = strip_symbols(self.tree, keep)
        return Saving(lever="symbols", saved=shaved.saved, files=shaved.files, notes=notes)

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

    def _kept(self, path: Path) -> bool:
        return fits(self.tree.name(path), self.settings.keep)

    def _shave(
        self,
        name: str,
        *,
        keep: frozenset[str],
        globs: tuple[str, ...] = (),
        match: frozenset[str] = frozenset(),
    ) -> Saving:
        act = lever_named(name).shave
        assert act is not None
        options = {"keep": (*self.settings.keep, *globs, *_exactly(keep)), "match": _exactly(match)}
        done = act(self.tree, options)
        return Saving(lever=name, saved=done.saved, files=done.files, notes=(done.note,) if done.note else ())


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _exactly(names: Iterable[str]) -> tuple[str, ...]:
    """Globs that fit these names and no other."""
    return tuple(re.sub(r"([*?[])", r"[\1]", name) for name in sorted(names))


def _outermost(folders: Collection[PurePosixPath]) -> tuple[str, ...]:
    return tuple(sorted(str(folder) for folder in folders if folder.parent not in folders))


def _finish(stock: Stock, settings: Settings, tree: Tree, output: Path) -> Path:
    """Version, tags, SBOM and RECORD of the slim wheel."""
    version = stock.slim_version(settings.build)
    name = wheels.relabel(stock.name, version=version)
    dist_info = wheels.dist_info_of(tree.root)
    for member in stock.signatures:
        (tree.root / member).unlink()
    _describe(stock, dist_info, name)
    for folder in sorted(tree.root.glob("*.data")):  # its name is made of the version too
        folder.rename(tree.root / f"{name.distribution}-{version}.data")
    sbom = dist_info / "sboms" / "spokeshave.cdx.json"
    sbom.parent.mkdir(exist_ok=True)
    sbom.write_text(json.dumps(_sbom(stock, settings), indent=1, sort_keys=True) + "\n", "utf-8")
    return wheels.pack(tree.root, output, name)


def _describe(stock: Stock, dist_info: Path, name: wheels.WheelName) -> None:
    """Version and tags as the file name has them; the label replaces a build number."""
    metadata, wheel = dist_info / "METADATA", dist_info / "WHEEL"
    try:
        metadata.write_bytes(replace_field(metadata.read_bytes(), "Version", (name.version,)))
        wheel.write_bytes(replace_field(replace_field(wheel.read_bytes(), "Build", ()), "Tag", ()))
    except wheels.MalformedWheel as fault:
        raise WheelError(
            f"{stock.path}: {fault}", next_step="report it to its project: its metadata is not well formed"
        ) from fault
    wheels.set_tags(dist_info, name)


def _sbom(stock: Stock, settings: Settings) -> dict[str, object]:
    """A CycloneDX 1.5 document: the wheel, the one that it was made of, and what acted on it."""
    ancestor = {
        "type": "library",
        "name": stock.project,
        "version": str(stock.version),
        "hashes": [{"alg": "SHA-256", "content": stock.sha256}],
    }
    component = {
        "type": "library",
        "name": stock.project,
        "version": stock.slim_version(settings.build),
        "pedigree": {"ancestors": [ancestor], "notes": "slimmed by spokeshave; nothing was compiled"},
        "properties": [
            {"name": "spokeshave:levers", "value": " ".join(settings.levers)},
            {"name": "spokeshave:removed", "value": " ".join(settings.remove)},
            {"name": "spokeshave:locales", "value": " ".join(settings.locales)},
            {"name": "spokeshave:stock", "value": stock.path.name},
            {"name": "spokeshave:version", "value": __version__},
        ],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component},
        "components": [],
    }
