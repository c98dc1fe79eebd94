"""Renews committed records and PGO profiles for keys without prose, where the old keys fit; run once.

    git worktree add OLD COMMIT~
    PYTHONPATH=OLD/builder:OLD/tests python ci/migrate_keys.py old OLD/recipes > old.json
    PYTHONPATH=builder:tests python ci/migrate_keys.py new recipes old.json

Inputs are unchanged, so a record or profile data that fitted the old key fits the new one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from spokeshave.model import BuildPlan
from spokeshave.plan import make_plan
from spokeshave.proofs import proof_digest
from spokeshave.recipes import Loaded, RecipeBook, library_names
from spokeshave.training.bundle import Manifest, _members, read_manifest, write_bundle
from spokeshave.training.plans import fit_key
from support import TARGET, TOOL, WHERE, shipped_plan


def keys(recipes: Path) -> dict[str, dict[str, str]]:
    """The keys of every recipe under every profile that has a record."""
    book = RecipeBook([recipes])
    found = {}
    for path in sorted((recipes / "proofs").glob("*/*.json")):
        recipe, profile = path.stem, path.parent.name
        loaded, plan = book.load(recipe), shipped_plan(recipe, profile, recipes=recipes)
        one = {"recipe_digest": plan.recipe_digest, "fits": ""}
        names = [*loaded.recipe.verify.stack]
        for each in (recipe, *loaded.recipe.verify.stack):
            names += library_names(book.load(each).recipe, book.profile(profile))
        others = [shipped_plan(name, profile, recipes=recipes) for name in dict.fromkeys(names)]
        one["proof"] = proof_digest(loaded, plan, others)
        if loaded.recipe.training:
            plain = _untrained(loaded, book, profile, recipes)
            one["fits"] = fit_key(plain, loaded.recipe, loaded.recipe.training)
        found[f"{profile}/{recipe}"] = one
    return found


def _untrained(loaded: Loaded, book: RecipeBook, profile: str, recipes: Path) -> BuildPlan:
    libraries = tuple(
        shipped_plan(name, profile, recipes=recipes)
        for name in library_names(loaded.recipe, book.profile(profile))
    )
    return make_plan(loaded, book.profile(profile), TARGET, WHERE, tool=TOOL, libraries=libraries)


def renew_bundles(recipes: Path, old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]) -> None:
    """Repacks PGO profiles with their new key and pins them in the recipes."""
    for path in sorted(recipes.glob("*/recipe.toml")):
        table = RecipeBook([recipes]).load(path.parent.name).recipe.training
        for row in table.bundles if table else ():
            file = path.parent / row.file
            manifest = read_manifest(file, row.sha256)
            fitting = {new[key]["fits"] for key in old if old[key]["fits"] == manifest.fits}
            assert len(fitting) == 1, (path.parent.name, fitting)
            counters = {name: data for name, data in _members(file, row.sha256) if name != "manifest.json"}
            changed = Manifest(**{**manifest.model_dump(), "fits": fitting.pop()})
            sha256 = write_bundle(file, changed, counters)
            path.write_text(path.read_text("utf-8").replace(row.sha256, sha256), "utf-8")


def renew_records(recipes: Path, old: dict[str, dict[str, str]], before: dict[str, dict[str, str]]) -> None:
    """Writes the new digests into each record that fitted the old ones."""
    new = keys(recipes)  # after the PGO profiles are pinned anew
    for name in sorted(new):
        path = recipes / "proofs" / f"{name}.json"
        record = json.loads(path.read_text("utf-8"))
        assert record["proof"] == old[name]["proof"], name
        assert record["recipe_digest"] == old[name]["recipe_digest"], name
        record |= {key: new[name][key] for key in ("proof", "recipe_digest")}
        path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    where = Path(sys.argv[2])
    if sys.argv[1] == "old":
        print(json.dumps(keys(where), indent=1))
    else:
        given = json.loads(Path(sys.argv[3]).read_text("utf-8"))
        now = keys(where)
        renew_bundles(where, given, now)
        renew_records(where, given, now)
