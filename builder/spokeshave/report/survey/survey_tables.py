"""A survey on a terminal: one table for each question, the largest rows first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spokeshave.limits import Remedy
from spokeshave.machine.listing import Column, Listing
from spokeshave.report.survey.model import BYTECODE, Duplicates, Estimate, Package, printable
from spokeshave.report.survey.remedies import shared_blas, unpacked_sizes
from spokeshave.report.survey.survey import Survey

_NAMES = 3  # of the files that are the same


def headline(survey: Survey) -> list[str]:
    """What was surveyed, its size, and what `shrink` would save."""
    subject = survey.subject
    count = f"{len(subject.files):,} files, {len(survey.packages):,} packages"
    lines = [f"{printable(subject.title)} ({subject.form}): {mb(subject.size)} MB, {count}"]
    if hidden := subject.size - subject.visible:
        lines.append(f"{mb(hidden)} MB of them are in files that upper layers replace or remove")
    if subject.zipped is not None:
        lines.append(f"{mb(subject.zipped)} MB zipped")
    for site, python in survey.pythons.items():
        size = sum(package.size for package in survey.packages if package.site == site)
        version = f"Python {python}" if python else "unknown Python"
        lines.append(f"packages in {printable(site) or 'the root'} ({version}): {mb(size)} MB")
    if saved := survey.saved() + shared_blas(survey, unpacked_sizes(survey)):
        share = saved / max(sum(package.size for package in survey.packages), 1)
        lines.append(f"estimate: `shrink` saves {mb(saved)} MB, {share:.0%} of the packages")
    return lines


def tables(survey: Survey, remedies: Sequence[Remedy], top: int) -> Iterator[Listing]:
    """All tables that have rows, of at most `top` rows each."""
    harmless = [one for one in remedies if one.harmless]
    features = [one for one in remedies if not one.harmless]
    found = (
        _packages(survey, top),
        _remedies("Actions that make it smaller", harmless, len(harmless)),
        _remedies("Features to do without", features, top),
        _kinds(survey),
        _tests(survey, top),
        _libraries(survey),
        _unstripped(survey, top),
        _duplicates(survey, top),
        _files(survey, top),
        _layers(survey),
        _outside(survey, top),
    )
    yield from (table for table in found if table.rows)


def _packages(survey: Survey, top: int) -> Listing:
    several = len(survey.pythons) > 1
    pairs = zip(survey.packages[:top], survey.estimates[:top], strict=True)
    return Listing(
        title=_title("Packages", len(survey.packages), top),
        columns=[
            Column("package", whole=True),
            *_numbers("MB", "files", "tests", "bytecode", "symbols", "saves"),
            *([Column("folder")] if several else []),
        ],
        rows=[_package_row(*pair, several=several) for pair in pairs],
        labels=1,
    )


def _package_row(package: Package, estimate: Estimate, *, several: bool) -> Sequence[str]:
    kinds = package.kinds()
    sizes = [kinds.get(kind, (0, 0))[1] for kind in ("tests", BYTECODE)]
    symbols = sum(estimate.symbols.values())
    return (
        f"{package.name} {package.version}".strip(),
        mb(package.size),
        f"{len(package.files):,}",
        *(_or_dash(size) for size in (*sizes, symbols, estimate.saved)),
        *([printable(package.site)] if several else []),
    )


def _remedies(title: str, rows: Sequence[Remedy], top: int) -> Listing:
    found = sorted((one for one in rows if one.saved), key=lambda one: -one.saved)
    return Listing(
        title=_title(f"{title} (estimated)", len(found), top),
        columns=[*_numbers("MB"), Column("action")],
        rows=[(mb(one.saved), one.action) for one in found[:top]],
    )


def _kinds(survey: Survey) -> Listing:
    found = survey.kinds()
    whole = max(sum(size for _, size in found.values()), 1)
    return Listing(
        title="Kinds of files in packages",
        columns=[Column("kind", whole=True), *_numbers("MB", "share", "files")],
        rows=[(kind, mb(size), f"{size / whole:.0%}", f"{count:,}") for kind, (count, size) in found.items()],
    )


def _tests(survey: Survey, top: int) -> Listing:
    return Listing(
        title=_title("Test folders", len(survey.tests), top),
        columns=[*_numbers("MB", "files", "removed"), Column("folder")],
        rows=[
            (mb(one.size), f"{one.files:,}", _or_dash(one.removed), _short(survey, one.name))
            for one in survey.tests[:top]
        ],
    )


def _libraries(survey: Survey) -> Listing:
    """The copies of each kind of library of which there are two or more."""
    found = [rows for rows in survey.libraries.values() if len(rows) > 1]
    return Listing(
        title="BLAS and OpenMP libraries that are there more than once",
        columns=[*_numbers("MB"), Column("family", whole=True), Column("file")],
        rows=[(mb(one.size), one.family, _short(survey, one.name)) for rows in found for one in rows],
    )


def _unstripped(survey: Survey, top: int) -> Listing:
    found = survey.symbols()
    return Listing(
        title=_title("Libraries with symbol tables or debug information, of these", len(found), top),
        columns=[*_numbers("MB"), Column("file")],
        rows=[(mb(size), _short(survey, name)) for name, size in list(found.items())[:top]],
    )


def _duplicates(survey: Survey, top: int) -> Listing:
    whole = sum(one.wasted for one in survey.duplicates)
    return Listing(
        title=_title(
            f"Files with the same content: {mb(whole)} MB in all but one of each", len(survey.duplicates), top
        ),
        columns=[*_numbers("MB", "copies"), Column("files")],
        rows=[
            (mb(one.wasted), f"{len(one.names):,}", _names(survey, one)) for one in survey.duplicates[:top]
        ],
    )


def _names(survey: Survey, one: Duplicates) -> str:
    more = [f"and {len(one.names) - _NAMES} more"] if len(one.names) > _NAMES else []
    return "\n".join([*(_short(survey, name) for name in one.names[:_NAMES]), *more])


def _files(survey: Survey, top: int) -> Listing:
    found = survey.largest()
    return Listing(
        title=_title("Files of packages", len(found), top),
        columns=[*_numbers("MB"), Column("file")],
        rows=[(mb(file.size), _short(survey, file.name)) for _, file in found[:top]],
    )


def _layers(survey: Survey) -> Listing:
    return Listing(
        title="Layers, the lowest one first",
        columns=[*_numbers("MB", "hidden"), Column("made by")],
        rows=[
            (mb(layer.size), _or_dash(layer.hidden), layer.made_by or "-")
            for layer in survey.subject.layers
            if layer.size
        ],
    )


def _outside(survey: Survey, top: int) -> Listing:
    return Listing(
        title=_title("Folders outside of packages", len(survey.outside), top),
        columns=[*_numbers("MB"), Column("folder")],
        rows=[(mb(size), printable(name)) for name, size in list(survey.outside.items())[:top]],
    )


def _short(survey: Survey, name: str) -> str:
    """A file's path, from the folder of packages if there is one alone."""
    (site, *others) = survey.pythons or [""]
    return printable(name if others or not site else name.removeprefix(f"{site}/"))


def _numbers(*headings: str) -> list[Column]:
    return [Column(heading, number=True) for heading in headings]


def _title(text: str, count: int, top: int) -> str:
    return f"{text}, the {top} largest of {count:,}" if count > top else text


def mb(size: int) -> str:
    """Bytes in MB (10^6)."""
    return f"{size / 1e6:,.2f}"


def _or_dash(size: int) -> str:
    return mb(size) if size else "-"
