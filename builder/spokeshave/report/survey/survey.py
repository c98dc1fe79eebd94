"""The survey of one subject: everything that the tables, the JSON and the limits need."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spokeshave.report.survey.copies import duplicates, hash_files, libraries
from spokeshave.report.survey.estimate import Estimator
from spokeshave.report.survey.installed import read_packages
from spokeshave.report.survey.model import (
    Duplicates,
    Estimate,
    File,
    FolderOfTests,
    Library,
    Package,
    Subject,
)
from spokeshave.report.survey.sites import python_of
from spokeshave.slim.wheel_layout import TEST_FOLDERS

LIBRARY_KINDS = ("BLAS", "OpenMP")
_DEPTH = 2  # folders of an image that a row has, such as usr/lib


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """A subject, its packages (the largest first), and what is found in them.

    `pythons` are versions by folder of packages. `estimates` are in the order of `packages`. `outside` are
    bytes by folder of files in no package.
    """

    subject: Subject
    packages: tuple[Package, ...]
    pythons: Mapping[str, str]
    estimates: tuple[Estimate, ...]
    duplicates: tuple[Duplicates, ...]
    libraries: Mapping[str, tuple[Library, ...]]
    tests: tuple[FolderOfTests, ...]
    outside: Mapping[str, int] = field(default_factory=dict)

    def kinds(self) -> Mapping[str, tuple[int, int]]:
        """Files and bytes by kind of file, of all packages; the largest kind first."""
        found: dict[str, tuple[int, int]] = {}
        for package in self.packages:
            for kind, (count, size) in package.kinds().items():
                before = found.get(kind, (0, 0))
                found[kind] = before[0] + count, before[1] + size
        return dict(sorted(found.items(), key=lambda row: -row[1][1]))

    def largest(self) -> list[tuple[Package, File]]:
        """All files of packages, the largest one first."""
        rows = [(package, file) for package in self.packages for file in package.files]
        return sorted(rows, key=lambda row: (-row[1].size, row[1].name))

    def symbols(self) -> Mapping[str, int]:
        """The bytes of symbol tables by compiled file, the largest first."""
        found = {name: size for one in self.estimates for name, size in one.symbols.items()}
        return dict(sorted(found.items(), key=lambda row: (-row[1], row[0])))

    def levers(self) -> Mapping[str, tuple[int, int]]:
        """Files and bytes that each lever would save of all packages, the most first."""
        found: dict[str, tuple[int, int]] = {}
        for row in (row for one in self.estimates for row in one.rows):
            before = found.get(row.lever, (0, 0))
            found[row.lever] = before[0] + row.files, before[1] + row.saved
        return dict(sorted(found.items(), key=lambda row: -row[1][1]))

    def saved(self) -> int:
        """The bytes that all levers would save."""
        return sum(one.saved for one in self.estimates)

    def to_json(self) -> Mapping[str, Any]:
        """The survey; sizes in bytes, `slim_estimate` as its name says."""
        subject = self.subject
        return {
            "title": subject.title,
            "form": subject.form,
            "unpacked": subject.size,
            "visible": subject.visible,
            "zipped": subject.zipped,
            "files": len(subject.files),
            "layers": [asdict(layer) for layer in subject.layers],
            "pythons": dict(self.pythons),
            "packages": [self._row(*pair) for pair in zip(self.packages, self.estimates, strict=True)],
            "kinds": {kind: {"files": count, "bytes": size} for kind, (count, size) in self.kinds().items()},
            "duplicates": [{**asdict(one), "wasted": one.wasted} for one in self.duplicates],
            "libraries": {kind: [asdict(one) for one in rows] for kind, rows in self.libraries.items()},
            "unstripped": dict(self.symbols()),
            "test_folders": [asdict(one) for one in self.tests],
            "outside": dict(self.outside),
            "slim_estimate": {
                lever: {"files": count, "bytes": size} for lever, (count, size) in self.levers().items()
            },
        }

    def _row(self, package: Package, estimate: Estimate) -> Mapping[str, Any]:
        return {
            "name": package.name,
            "version": package.version,
            "site": package.site,
            "files": len(package.files),
            "bytes": package.size,
            "kinds": {kind: {"files": n, "bytes": size} for kind, (n, size) in package.kinds().items()},
            "slim_estimate": {row.lever: row.saved for row in estimate.rows},
            "largest": [
                {"name": file.name, "bytes": file.size}
                for file in sorted(package.files, key=lambda file: -file.size)[:5]
            ],
        }


def make_survey(subject: Subject, scratch: Path, estimator: Estimator) -> Survey:
    """Surveys a subject; `scratch` is a folder for trees of the estimates."""
    packages = read_packages(subject)
    owned = [file for package in packages for file in package.files]
    hashes = hash_files(owned)
    estimates = []
    for number, package in enumerate(packages):
        folder = scratch / f"estimate-{number}"
        estimates.append(estimator(package, hashes, folder))
        shutil.rmtree(folder, ignore_errors=True)
    pairs = list(zip(packages, estimates, strict=True))
    names = {file.name for file in owned}
    sites = dict.fromkeys(package.site for package in packages)
    return Survey(
        subject=subject,
        packages=packages,
        pythons={site: python_of(site, _names(packages, site)) for site in sorted(sites)},
        estimates=tuple(estimates),
        duplicates=duplicates(owned, hashes),
        libraries={kind: libraries(subject.files, kind) for kind in LIBRARY_KINDS},
        tests=tuple(
            sorted(
                (folder for package, one in pairs for folder in _test_folders(package, one)),
                key=lambda folder: (-folder.size, folder.name),
            )
        ),
        outside=by_folder({file.name: file.size for file in subject.files if file.name not in names}),
    )


def _names(packages: Iterable[Package], site: str) -> list[str]:
    return [file.name for package in packages if package.site == site for file in package.files]


def _test_folders(package: Package, estimate: Estimate) -> list[FolderOfTests]:
    """The outermost folders `tests` or `test` of a package."""
    found: dict[str, list[File]] = defaultdict(list)
    for file in package.files:
        parts = file.name.split("/")[:-1]
        skip = len(package.site.split("/")) if package.site else 0
        at = next((n for n, part in enumerate(parts) if n >= skip and part in TEST_FOLDERS), None)
        if at is not None:
            found["/".join(parts[: at + 1])].append(file)
    return [
        FolderOfTests(
            name=name,
            package=package.name,
            size=sum(file.size for file in its),
            files=len(its),
            removed=sum(file.size for file in its if file.name in estimate.removed),
        )
        for name, its in found.items()
    ]


def by_folder(sizes: Mapping[str, int]) -> Mapping[str, int]:
    """The bytes of files by their first two folders, the most first; `sizes` are bytes by file."""
    found: dict[str, int] = defaultdict(int)
    for name, size in sizes.items():
        found["/".join(name.split("/")[:-1][:_DEPTH]) or "."] += size
    return dict(sorted(found.items(), key=lambda row: (-row[1], row[0])))
