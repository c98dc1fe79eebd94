"""What would make a subject smaller, for a limit that it exceeds: levers, then components of recipes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping

from packaging.utils import canonicalize_name

from spokeshave.errors import UsageFault
from spokeshave.inside.levers.lever import fits
from spokeshave.limits import Bound, Excess, Limit, Part, Remedy, check
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.schema import ComponentTable
from spokeshave.report.survey.model import BYTECODE, Estimate, File, Library, Package, file_kind, printable
from spokeshave.report.survey.survey import Survey, by_folder

_INSTALLERS = ("pip", "setuptools", "wheel", "uv")
_SHARED = "OpenBLAS"  # the family of which one copy can serve all packages
_CHUNK = 1024 * 1024
_ZIP_HEADERS = 76  # bytes of a member, without its name, which is there twice


def find_excess(survey: Survey, limit: Limit, book: RecipeBook) -> tuple[Excess, ...]:
    """The bounds of a limit that a survey's subject exceeds.

    The size of a folder's zip archive is what Python's zipfile would write. Raises UsageFault for a limit of
    images on anything else, and the other way round.
    """
    is_image = survey.subject.form == "image"
    if limit.form != "any" and is_image != (limit.form == "image"):
        holds = "container images" if limit.form == "image" else "archives, not for container images"
        raise UsageFault(
            f"limit {limit.name} holds for {holds}: {survey.subject.title} is of the form"
            f" {survey.subject.form}",
            next_step="give --limit a size, such as 250MiB, or another name",
        )
    found = (_excess(survey, limit, bound, book) for bound in limit.bounds)
    return tuple(one for one in found if one)


def unpacked_sizes(survey: Survey) -> Mapping[str, int]:
    """The bytes of each file."""
    return {file.name: file.size for file in survey.subject.files}


def _excess(survey: Survey, limit: Limit, bound: Bound, book: RecipeBook) -> Excess | None:
    subject = survey.subject
    if bound.quantity == "unpacked":
        size, sizes = subject.size, unpacked_sizes(survey)
    else:
        sizes = {file.name: _zipped(file) for file in subject.files}
        size = sum(sizes.values()) if subject.zipped is None else subject.zipped
    if size <= bound.size:
        return None
    owned = {file.name for package in survey.packages for file in package.files}
    parts = [
        Part(name=_label(one, survey), size=sum(sizes[file.name] for file in one.files))
        for one in survey.packages
    ]
    rest = by_folder({name: size for name, size in sizes.items() if name not in owned})
    parts += [Part(name=f"{printable(name)} (no package)", size=size) for name, size in rest.items()]
    if hidden := subject.size - subject.visible:
        parts.append(Part(name="files that upper layers hide", size=hidden))
    return check(
        limit,
        bound,
        title=subject.title,
        size=size,
        parts=parts,
        remedies=list(find_remedies(survey, book, sizes)),
    )


def find_remedies(survey: Survey, book: RecipeBook, sizes: Mapping[str, int]) -> Iterator[Remedy]:
    """Levers, one BLAS, bytecode; then installers and components. `sizes` are bytes by file.

    Where the sizes are those in a zip archive, a lever saves in proportion to a package's bytes there.
    """
    pairs = list(zip(survey.packages, survey.estimates, strict=True))
    levers: dict[str, float] = {}
    for package, estimate in pairs:
        share = sum(sizes[file.name] for file in package.files) / max(package.size, 1)
        for row in estimate.rows:
            levers[row.lever] = levers.get(row.lever, 0) + row.saved * share
    for lever, saved in levers.items():
        action = "bytecode of removed modules" if lever == BYTECODE else f"`slim`, lever {lever}"
        yield Remedy(action=action, saved=int(saved))
    symbols = survey.symbols()
    copies = _copies(survey)
    if saved := shared_blas(survey, sizes):
        yield Remedy(action=f"one shared BLAS instead of {len(copies)} copies", saved=saved)
    compiled = {file.name: sizes[file.name] for package, one in pairs for file in _bytecode(package, one)}
    if compiled:
        yield Remedy(action="no bytecode (`pip install --no-compile`)", saved=sum(compiled.values()))
    blas = {one.name for one in copies}
    for package, estimate in pairs:
        left = {
            file.name: max(sizes[file.name] - symbols.get(file.name, 0), 0)
            for file in package.files
            if file.name not in estimate.removed and file.name not in compiled and file.name not in blas
        }
        if canonicalize_name(package.name) in _INSTALLERS:
            action = f"without {package.name}, which programs seldom import"
            yield Remedy(action=action, saved=sum(left.values()), harmless=False)
        else:
            yield from _components(package, left, book)


def shared_blas(survey: Survey, sizes: Mapping[str, int]) -> int:
    """The bytes that one OpenBLAS instead of several saves, if it is as large as the largest of them.

    What lever symbols saves of the copies is not counted. `sizes` are bytes by file.
    """
    symbols = survey.symbols()
    return sum(max(sizes[one.name] - symbols.get(one.name, 0), 0) for one in _copies(survey)[1:])


def _copies(survey: Survey) -> list[Library]:
    """The copies of OpenBLAS in packages, the largest one first."""
    owned = {file.name for package in survey.packages for file in package.files}
    return [one for one in survey.libraries["BLAS"] if one.family == _SHARED and one.name in owned]


def _bytecode(package: Package, estimate: Estimate) -> Iterator[File]:
    """The bytecode that is there after the levers."""
    for file in package.files:
        if file_kind(file.name) == BYTECODE and file.name not in estimate.removed:
            yield file


def _components(package: Package, left: dict[str, int], book: RecipeBook) -> Iterator[Remedy]:
    """The components of a package's recipe, the largest first; each file counts in one of them alone."""
    name = canonicalize_name(package.name)
    if name not in book.names():
        return
    inside = {package.inside(file): file.name for file in package.files if file.name in left}
    found = [(part, [inside[one] for one in _of_component(part, inside)]) for part in _parts(book, name)]
    for part, names in sorted(found, key=lambda row: -sum(left.get(one, 0) for one in row[1])):
        if saved := sum(left.pop(one, 0) for one in names):
            action = f"without component {name}/{part.name}: {part.summary}"
            yield Remedy(action=action, saved=saved, harmless=False)


def _parts(book: RecipeBook, name: str) -> tuple[ComponentTable, ...]:
    return book.load(name).recipe.components


def _of_component(part: ComponentTable, names: Iterable[str]) -> Iterator[str]:
    """The files of a component's modules, and those that its globs match."""
    stems = tuple(module.replace(".", "/") for module in part.modules)
    heads = tuple(f"{stem}{end}" for stem in stems for end in ("/", "."))
    for name in names:
        if name.startswith(heads) or fits(name, part.files):
            yield name


def _label(package: Package, survey: Survey) -> str:
    """The package with its version; with the folder too where there are several."""
    name = f"{package.name} {package.version}".strip()
    return f"{name} in {package.site}" if len(survey.pythons) > 1 and package.site else name


def _zipped(file: File) -> int:
    """The bytes of a file in a zip archive, as Python's zipfile compresses it (deflate, level 6)."""
    if file.zipped is not None:
        return file.zipped
    assert file.path is not None  # every file of a folder can be read
    packer, size = zlib.compressobj(6, zlib.DEFLATED, -15), 0
    with file.path.open("rb") as stream:
        while data := stream.read(_CHUNK):
            size += len(packer.compress(data))
    return size + len(packer.flush()) + _ZIP_HEADERS + 2 * len(file.name.encode("utf-8", "replace"))
