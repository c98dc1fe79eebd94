"""What the levers on Python modules share: a change that is checked module by module."""

from __future__ import annotations

import re
import tokenize
import warnings
from collections.abc import Callable

from spokeshave.inside.levers.lever import Options, Shaved, Tree

# Lines as Python counts them; str.splitlines knows more ends.
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")


def attempt(change: Callable[[bytes], bytes | None], source: bytes) -> bytes | None:
    """The changed module; None where it is no valid Python, or `change` itself gives none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return change(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None


def count_of(odd: list[str]) -> str:
    """The note on modules that stayed as they were: how many."""
    return f"left as they were: {len(odd)}" if odd else ""


def shave_modules(
    tree: Tree,
    options: Options,
    rewrite: Callable[[str, bytes], bytes | None],
    note: Callable[[list[str]], str] = count_of,
) -> Shaved:
    """Rewrites all modules but those of the recipe's `keep`, by name and source.

    Where `rewrite` gives None the module is unchanged; `note` says which, by name.
    """
    saved = files = 0
    odd: list[str] = []
    for path in tree.matching(["*.py"], [*options.get("keep", ()), "*.dist-info/*"]):
        name, source = tree.name(path), path.read_bytes()
        shaved = rewrite(name, source)
        if shaved is None:
            odd.append(name)
        elif shaved != source:
            path.write_bytes(shaved)
            saved, files = saved + len(source) - len(shaved), files + 1
    return Shaved(saved=saved, files=files, note=note(odd))
