"""A recipe's knowledge applied to a PyPI wheel: components, patches of Python files, rows of the levers.

What does not fit the wheel's version is left as it is, and a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from spokeshave.errors import PatchError
from spokeshave.inside.levers import docstrings, lever_named, test_modules, tests
from spokeshave.inside.levers.lever import Tree
from spokeshave.inside.model import Removed
from spokeshave.inside.stubs import remove
from spokeshave.inside.unmatched import unmatched, wheel_patterns
from spokeshave.recipes.patch_files import patched_files
from spokeshave.removal.readers.reader import covers
from spokeshave.slim.levers import Act, Spared, installed
from spokeshave.slim.model import COMPONENT, NOT_MODULES, ON_REQUEST, Removals, Saving, Settings
from spokeshave.slim.needed_tests import put_back_needed
from spokeshave.slim.part import part_of
from spokeshave.slim.recipe_use import RecipeUse
from spokeshave.slim.wheel_layout import module_of
from spokeshave.sources.patches import apply_patches

_TESTS = (tests.LEVER.name, test_modules.LEVER.name)
_REVIEWED = ("typing", "sources", "headers", *ON_REQUEST)  # for the versions that the recipe lists
_SHOWN = 8  # patterns in a note


@dataclass(frozen=True, kw_only=True)
class FromRecipe:
    """A recipe at work on one unpacked wheel."""

    use: RecipeUse
    tree: Tree
    settings: Settings
    spared: Spared = field(default_factory=dict)

    @property
    def careful(self) -> Settings:
        """The settings of the general levers: they keep what the recipe keeps."""
        rows = (setting.options.get("keep", ()) for setting in self.use.plan.levers)
        return replace(self.settings, keep=(*self.settings.keep, *(glob for row in rows for glob in row)))

    def begin(self) -> tuple[Removals, bool]:
        """Removes components; the second value says whether the recipe's rows for docstrings hold."""
        notes = list(self._about())
        ready = self._patch_version(notes)
        saved, stubs, changed = list[Saving](), list[str](), set[str]()
        applied: set[str] = set()
        for part in self.use.plan.removed:
            if why := self._why_kept(part, stubs) or self._apply(part, applied, changed):
                notes.append(f"component {self.use.plan.recipe}/{part.component} is kept: {why}")
                continue
            here = [module for module in part.modules if not _is_below(module, stubs)]
            took = remove(self.use.plan, replace(part, modules=tuple(here)), self.tree)
            stubs += here
            saved.append(Saving(lever=f"{COMPONENT}{part.component}", saved=took.saved, files=took.files))
        if notes:
            saved.append(Saving(lever="recipe", saved=0, files=0, notes=tuple(notes)))
        modules = sorted(filter(None, (module_of(name) for name in changed)))
        return Removals(savings=tuple(saved), stubs=tuple(stubs), patched=tuple(modules)), ready

    def acts(self, general: Mapping[str, Act], *, ready: bool) -> dict[str, Act]:
        """The levers of a wheel: the recipe's for what it knows, else the general ones; in their order."""
        known = _TESTS + (_REVIEWED if self.use.listed else ())
        mine = {name: partial(self._pull, name) for name in known}
        if not ready:
            mine.pop(docstrings.LEVER.name, None)
        return {**{name: mine[name] for name in _TESTS}, **general, **mine}

    def _about(self) -> list[str]:
        """Notes on what of the recipe does not match this version."""
        plan, notes = self.use.plan, []
        if not self.use.listed:
            notes.append(
                f"recipe {plan.recipe} lists {self.use.versions}, not {plan.version}: its rows act where they"
                " match, and general rules act on all else"
            )
        names = [self.tree.name(path) for path in self.tree.files()]
        if dead := unmatched(wheel_patterns(plan), names):
            more = f" and {len(dead) - _SHOWN} more" if len(dead) > _SHOWN else ""
            notes.append(f"patterns of the recipe match nothing: {', '.join(dead[:_SHOWN])}{more}")
        return notes

    def _patch_version(self, notes: list[str]) -> bool:
        """Applies the version's patches of Python files, which other patches and blank docstrings need."""
        plan = self.use.plan
        bare = docstrings.LEVER.name in [setting.name for setting in plan.levers]
        if not (bare or plan.removed):
            return self.use.listed
        texts = {name: plan.compile.files[name] for name in plan.patches}
        wanted = [(n, text.encode()) for n, text in texts.items() if self._is_python(text)]
        try:
            apply_patches(self.tree.root, wanted)
        except PatchError as fault:
            general = "; general rules remove docstrings" if bare else ""
            notes.append(f"{plan.version} differs: {fault.what}{general}")
            return False
        return self.use.listed

    def _is_python(self, text: str) -> bool:
        """Whether a patch changes nothing but Python files that this wheel has."""
        names = patched_files(text)
        return all(name.endswith(".py") and (self.tree.root / name).is_file() for name in names)

    def _why_kept(self, part: Removed, stubs: list[str]) -> str:
        """Why a component cannot be removed from this wheel; empty where it can."""
        if self.use.part(part.component).needed_by_pypi:
            return "compiled code of the PyPI wheel needs it"
        if part.variants:
            return "its smaller modules have to be compiled"
        absent = [m for m in part.modules if not _is_below(m, stubs) and not self._has(m)]
        absent += [glob for glob in part.files if not self.tree.matching((glob,))]
        return f"the wheel has no {', '.join(absent)}" if absent else ""

    def _has(self, module: str) -> bool:
        place = self.tree.root.joinpath(*module.split("."))
        return place.is_dir() or any(place.parent.glob(f"{place.name}.*"))

    def _apply(self, part: Removed, applied: set[str], changed: set[str]) -> str:
        """Applies the patches of a component, all or none; why they do not fit, if they do not."""
        texts = self.use.plan.removal_patches
        wanted = [name for name in self.use.part(part.component).patches if name not in applied]
        try:
            apply_patches(self.tree.root, [(name, texts[name].encode()) for name in wanted])
        except PatchError as fault:
            return fault.what
        applied.update(wanted)
        changed.update(name for patch in wanted for name in patched_files(texts[patch]))
        return ""

    def _pull(self, name: str) -> Saving:
        """Pulls a lever with the recipe's rows; one that the recipe switches off says why."""
        rows = self.use.loaded.recipe.levers.get(name, {})
        if off := rows.get("off"):
            return Saving(lever=name, saved=0, files=0, notes=(f"off: {' '.join(off)}",))
        keep = (
            *rows.get("keep", ()),
            *self.settings.kept_by(name),
            *(NOT_MODULES if name in ON_REQUEST else ()),
        )
        if name == test_modules.LEVER.name:  # this lever knows no `keep`
            return self._move(name, rows.get("match", ()), keep)
        act = lever_named(name).shave
        assert act is not None
        hidden = frozenset(installed(self.tree, self.spared.get(name, frozenset())))
        done = act(part_of(self.tree, hidden), {**rows, "keep": keep})
        notes = (done.note,) if done.note else ()
        return self._checked(Saving(lever=name, saved=done.saved, files=done.files, notes=notes))

    def _move(self, name: str, match: tuple[str, ...], keep: tuple[str, ...]) -> Saving:
        found = self.tree.matching(match, keep)
        saved = sum(self.tree.move_to_tests(path) for path in found)
        return self._checked(Saving(lever=name, saved=saved, files=len(found)))

    def _checked(self, done: Saving) -> Saving:
        """In a version that nobody has reviewed, tests that other modules import are put back."""
        if self.use.listed or done.lever not in _TESTS or not done.files:
            return done
        back = put_back_needed(self.tree)
        notes = tuple(f"{one.name} is kept: {one.reason}" for one in back)
        saved, files = sum(one.size for one in back), sum(one.files for one in back)
        return replace(done, saved=done.saved - saved, files=done.files - files, notes=(*done.notes, *notes))


def _is_below(module: str, above: list[str]) -> bool:
    return any(covers(one, module) for one in above)
