"""Files that nothing needs at run time: type stubs, sources, and what compiling against the package needs."""

from __future__ import annotations

from collections.abc import Callable

from spokeshave.inside.levers.lever import Lever, Options, Shaved, Tree

_TYPING = ("*.pyi", "*/py.typed")
_SOURCES = ("*.pyx", "*.pxi", "*.tp", "*.c", "*.cpp", "*.f", "*.f90")
_OPTIONS = ("match", "keep")
_HEADERS = ("*.h", "*.hpp", "*.a", "*.pxd")


def _dropper(globs: tuple[str, ...]) -> Callable[[Tree, Options], Shaved]:
    def shave(tree: Tree, options: Options) -> Shaved:
        found = tree.matching((*globs, *options.get("match", ())), options.get("keep", ()))
        saved = sum(path.stat().st_size for path in found)
        for path in found:
            path.unlink()
        return Shaved(saved=saved, files=len(found))

    return shave


TYPING = Lever(name="typing", summary="type stubs", options=_OPTIONS, shave=_dropper(_TYPING))
SOURCES = Lever(
    name="sources", summary="C, Fortran and Cython sources", options=_OPTIONS, shave=_dropper(_SOURCES)
)
HEADERS = Lever(
    name="headers",
    summary="headers, Cython declarations and static libraries",
    options=_OPTIONS,
    shave=_dropper(_HEADERS),
)
