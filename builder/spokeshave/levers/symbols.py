"""Symbol tables and debug information that the loader never reads."""

from __future__ import annotations

from spokeshave.levers.base import Lever, Options, Shaved, Tree, is_elf
from spokeshave.run import Command, run


def shave(tree: Tree, options: Options) -> Shaved:
    """Strips every ELF file of the wheel, before any patchelf touches it (auditwheel#716).

    Raises RuntimeError where `strip` fails.
    """
    saved = files = 0
    for path in tree.files():
        if not is_elf(path):
            continue
        before = path.stat().st_size
        done = run(Command(argv=("strip", "--strip-all", "-R", ".comment", str(path))))
        if not done.ok:
            raise RuntimeError(f"strip failed on {tree.name(path)}: {done.output}")
        saved += before - path.stat().st_size
        files += 1
    return Shaved(saved=saved, files=files)


LEVER = Lever(name="symbols", summary="symbol tables and debug information", shave=shave)
