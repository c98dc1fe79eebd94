"""From a PyPI wheel to a slim one: unpack, apply the levers, relabel, describe, pack."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from spokeshave import __version__
from spokeshave.errors import WheelError
from spokeshave.inside import wheel as wheels
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import digest_of, file_sha256
from spokeshave.inside.sbom import sbom_text
from spokeshave.inside.sizes import sizes
from spokeshave.slim.blas_library import Library
from spokeshave.slim.from_recipe import FromRecipe
from spokeshave.slim.levers import Levers, Spared
from spokeshave.slim.metadata_fields import replace_field
from spokeshave.slim.model import Removals, Saving, Settings, Slimmed, Stock
from spokeshave.slim.recipe_use import RecipeUse
from spokeshave.slim.rule_effects import apply
from spokeshave.slim.rules import Chosen
from spokeshave.slim.shared_blas import NAME as BLAS
from spokeshave.slim.shared_blas import Shared, has_copy, share_blas


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of a wheel besides itself: recipe, rules, and the wheels of a shared BLAS, best first.

    `libraries` reads the wheels when it is called.
    """

    recipe: RecipeUse | None = None
    rules: Chosen | None = None
    libraries: Callable[[], Iterable[Library]] = tuple

    @property
    def digest(self) -> str:
        """The sha256 (hex) of what recipe and rules say: a key has it, next to the library's hash."""
        return digest_of([self.recipe.digest if self.recipe else "", self.rules.digest if self.rules else ""])


def slim(
    stock: Stock,
    settings: Settings,
    *,
    output: Path,
    scratch: Path,
    spared: Spared | None = None,
    known: Known | None = None,
) -> Slimmed:
    """Writes the slim wheel into `output`; `scratch` is an empty folder to work in.

    `spared` has modules that a lever of text leaves as they are. Rules act first. The same wheel, settings,
    recipe, rules and library give the same bytes. Raises WheelError where RECORD is signed and the
    signature may not go, and EngineMissing where a lever's tool is not on this machine.
    """
    if stock.signatures and not settings.drop_signature:
        raise WheelError(
            f"{stock.path}: RECORD is signed ({stock.signatures[0]}), and a changed wheel cannot keep that",
            next_step="give --drop-signature if nothing of yours checks it",
        )
    tree = Tree(root=wheels.unpack(stock.path, scratch / "tree"), tests=scratch / "tests")
    tree.tests.mkdir()
    known = known or Known()
    rules = known.rules or Chosen(stock=stock)
    settings = replace(settings, remove=rules.removed)
    done = _act(tree, settings, rules, known, spared or {})
    final = _finish(stock, settings, tree, output, _about(known, settings, done.removals, done.shared))
    return Slimmed(
        stock=stock,
        wheel=final,
        sha256=file_sha256(final),
        settings=settings,
        before=sizes(stock.path),
        after=sizes(final),
        savings=done.savings,
        gone=tuple(sorted(done.gone)),
        removals=done.removals,
        lost=rules.lost,
        tests=_tests_archive(tree, final) if known.recipe else None,
        library=done.shared.library,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Done:
    """What acted on a wheel, and the removed files, by their names in it."""

    savings: tuple[Saving, ...]
    removals: Removals
    shared: Shared
    gone: frozenset[str]


def _act(tree: Tree, settings: Settings, rules: Chosen, known: Known, spared: Spared) -> _Done:
    """Rules, components of the recipe, levers and the shared BLAS, in this order."""
    before = {tree.name(path) for path in tree.files()}
    applied = apply(rules, tree, settings)
    careful = replace(settings, keep=(*settings.keep, *rules.keep))
    recipe = None
    if known.recipe:
        recipe = FromRecipe(use=known.recipe, tree=tree, settings=careful, spared=spared)
    removals, ready = recipe.begin() if recipe else (Removals(), False)
    levers = Levers(tree=tree, settings=recipe.careful if recipe else careful, spared=spared)
    rows = levers.pull(partial(recipe.acts, ready=ready) if recipe else dict)
    shared = Shared()
    if BLAS in settings.levers and has_copy(before):
        shared = share_blas(tree, rules.stock, careful, known.libraries())
        rows.append(shared.saving)
    after = {tree.name(path) for path in tree.files()}
    return _Done(
        savings=(*applied.savings, *removals.savings, *rows),
        removals=removals,
        shared=shared,
        gone=frozenset(before - after) | applied.removed,
    )


def _tests_archive(tree: Tree, final: Path) -> Path | None:
    files = sorted(path for path in tree.tests.rglob("*") if path.is_file())
    return wheels.write_zip(tree.tests, files, wheels.beside(final, wheels.TESTS_ARCHIVE)) if files else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _About:
    """The platform tag, if it changes, and what the SBOM says: properties by name, and bundled code."""

    platform: str
    properties: Mapping[str, str]
    bundled: Sequence[object] = ()


def _about(known: Known, settings: Settings, removals: Removals, shared: Shared) -> _About:
    properties = {}
    if known.recipe:
        properties["recipe"] = known.recipe.plan.recipe
    if removed := (*settings.remove, *removals.stubs):
        properties["removed"] = " ".join(removed)
    if settings.locales:
        properties["locales"] = " ".join(settings.locales)
    if shared.library:
        properties["requires"] = shared.library.requirement
    listed = known.recipe and known.recipe.listed
    bundled = json.loads(sbom_text(known.recipe.plan))["components"] if known.recipe and listed else ()
    return _About(platform=shared.platform, properties=properties, bundled=bundled)


def _finish(stock: Stock, settings: Settings, tree: Tree, output: Path, about: _About) -> Path:
    """Version, tags, SBOM and RECORD of the slim wheel."""
    version = stock.slim_version(settings.build)
    name = wheels.relabel(stock.name, version=version, platform=about.platform or None)
    dist_info = wheels.dist_info_of(tree.root)
    for member in stock.signatures:
        (tree.root / member).unlink()
    _describe(stock, dist_info, name)
    for folder in sorted(tree.root.glob("*.data")):  # its name is made of the version too
        folder.rename(tree.root / f"{name.distribution}-{version}.data")
    sbom = dist_info / "sboms" / "spokeshave.cdx.json"
    sbom.parent.mkdir(exist_ok=True)
    sbom.write_text(json.dumps(_sbom(stock, settings, about), indent=1, sort_keys=True) + "\n", "utf-8")
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


def _sbom(stock: Stock, settings: Settings, about: _About) -> dict[str, object]:
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
            {"name": "spokeshave:stock", "value": stock.path.name},
            {"name": "spokeshave:version", "value": __version__},
            *({"name": f"spokeshave:{name}", "value": value} for name, value in about.properties.items()),
        ],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component},
        "components": list(about.bundled),
    }
