"""A stack of small Python packages: recipes, and their sources in a store."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from spokeshave.context import Context
from spokeshave.inside.model import file_sha256
from spokeshave.inside.run import run
from spokeshave.machine.progress import PlainReporter
from spokeshave.machine.store import Store
from spokeshave.recipes.book import RecipeBook


def small_stack(root: Path, packages: Mapping[str, tuple[Mapping[str, str], str]]) -> Context:
    """Recipes of packages, each with its files and the TOML of its components, on those before."""
    reporter = PlainReporter(Console(stderr=True))
    store = Store(root=root / "cache", say=reporter.say)
    stack: list[str] = []
    for name, (files, components) in packages.items():
        sdist = write_sdist(root / f"{name}-1.0.tar.gz", name, files)
        digest = file_sha256(sdist)
        store.put("source", digest, lambda new, sdist=sdist: sdist.rename(new / sdist.name))  # type: ignore[misc]
        write_recipe(root / "recipes" / name, name, digest, extra=components, stack=str(stack))
        stack.append(name)
    (root / "recipes" / "profiles").mkdir(parents=True)
    book = RecipeBook([root / "recipes"])
    return Context(
        book=book, store=store, runner=run, reporter=reporter, logs=root / "logs", environ=os.environ, cpus=2
    )


def write_sdist(path: Path, name: str, files: Mapping[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, text in files.items():
            info = tarfile.TarInfo(f"{name}-1.0/{member}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def write_recipe(folder: Path, name: str, digest: str, *, extra: str, stack: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lock.txt").write_text("")
    (folder / "recipe.toml").write_text(
        f'schema = 1\nname = "{name}"\ndistribution = "{name}"\nimport-name = "{name}"\nsummary = "x"\n'
        f'license = "MIT"\n[[versions]]\nversion = "1.0"\n'
        f'source = {{ pypi = "{name}", sha256 = "{digest}" }}\n[build]\nbackend = "meson-python"\n'
        f'requires = "lock.txt"\n[verify]\nrequires = "lock.txt"\nstack = {stack}\n{extra}'
    )
