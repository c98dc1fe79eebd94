"""Symbol tables and debug information that the loader never reads."""

from __future__ import annotations

from spokeshave.inside.levers.lever import Lever, Options, Shaved, Tree, fits, is_elf
from spokeshave.inside.run import Command, run


def shave(tree: Tree, options: Options) -> Shaved:
    """Strips every ELF file of the wheel, before any patchelf touches it (auditwheel#716).

    `keep` is for prebuilt ones that somebody else's patchelf has touched already.
    Raises RuntimeError where `strip` fails.
    """
    saved = files = 0
    for path in tree.files():
        if not is_elf(path) or fits(tree.name(path), options.get("keep", ())):
            continue
        before = path.stat().st_size
        done = run(Command(argv=("strip", "--strip-all", "-R", ".comment", str(path))))
        if not done.ok:
            raise RuntimeError(f"strip failed on {tree.name(path)}: {done.output}")
        saved += before - path.stat().st_size
        files += 1
    return Shaved(saved=saved, files=files)


LEVER = Lever(name="symbols", summary="symbol tables and debug information", options=("keep",), shave=shave)
