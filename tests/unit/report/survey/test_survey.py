"""The survey of a small environment: what is found in it, the estimate, and the remedies for a limit."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from imagetars import below, distribution, docker_archive, tar_bytes, write_files
from spokeshave.errors import UsageFault
from spokeshave.limits import Excess, Remedy, read_limit
from spokeshave.machine.store import Store
from spokeshave.recipes.book import RecipeBook
from spokeshave.report.survey.estimate import kept_estimate
from spokeshave.report.survey.remedies import find_excess, find_remedies, unpacked_sizes
from spokeshave.report.survey.subjects import read_subject
from spokeshave.report.survey.survey import Survey, make_survey
from support import RECIPES, needs_compiler

TESTS = {
    "demo/tests/__init__.py": b"",
    "demo/tests/test_core.py": b"def test(): pass\n" * 10,
    "demo/tests/__pycache__/test_core.cpython-311.pyc": b"bytecode of it",
}
DEMO = distribution(
    "demo",
    {
        "demo/__init__.py": b"x = 1\n",
        "demo/core.pyi": b"x: int\n" * 3,
        "demo/core.py": b"x: int = 1\n",
        "demo/core.pyx": b"cdef int x\n",
        "demo/one.json": b"{}" * 50,
        "demo/two.json": b"{}" * 50,
        **TESTS,
    },
)
BLAS = {
    "numpy.libs/libscipy_openblas64_-1a2b.so": b"l" * 4000,
    "scipy.libs/libscipy_openblas-3c4d.so": b"m" * 3000,
    "demo.libs/libgomp-5e6f.so.1.0.0": b"g" * 50,
    "demo.libs/libopenblas.txt": b"no library",
}
BOOK = RecipeBook([RECIPES])


def survey(tmp_path: Path, files: Mapping[str, bytes]) -> Survey:
    return survey_of(write_files(tmp_path / "root", files), tmp_path)


def survey_of(path: Path, tmp_path: Path) -> Survey:
    store = Store(root=tmp_path / "store", say=print)
    with store.scratch() as scratch:
        (scratch / "archive").mkdir()
        (subject,) = read_subject(path, scratch / "archive")
        return make_survey(subject, scratch, kept_estimate(store, BOOK))


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file()
    }


def remedies(found: Survey) -> dict[str, Remedy]:
    return {one.action: one for one in find_remedies(found, BOOK, unpacked_sizes(found))}


def test_estimate_is_what_the_levers_remove_with_its_bytecode(tmp_path: Path) -> None:
    (estimate,) = survey(tmp_path, DEMO).estimates
    assert {row.lever: (row.saved, row.files) for row in estimate.rows} == {
        "tests": (170, 2),
        "typing": (21, 1),
        "sources": (11, 1),
        "bytecode": (14, 1),
    }


def test_survey_changes_nothing_and_is_the_same_from_the_store(tmp_path: Path) -> None:
    root = write_files(tmp_path / "root", DEMO)
    before = snapshot(root)
    first = survey_of(root, tmp_path)
    assert snapshot(root) == before
    assert survey_of(root, tmp_path).to_json() == first.to_json()


def test_changed_file_is_estimated_anew(tmp_path: Path) -> None:
    survey(tmp_path, DEMO)
    changed = {**DEMO, "demo/core.py": b"from demo import tests\n"}
    levers = survey(tmp_path, changed).levers()
    assert "tests" not in levers, "the folder is imported now, so slim keeps it"


def test_survey_finds_test_folders_duplicates_and_kinds(tmp_path: Path) -> None:
    found = survey(tmp_path, DEMO)
    (folder,) = found.tests
    assert (folder.name, folder.files, folder.size, folder.removed) == ("demo/tests", 3, 184, 184)
    (same,) = found.duplicates
    assert (same.wasted, same.names) == (100, ("demo/one.json", "demo/two.json"))
    assert found.kinds()["bytecode"] == (1, 14)
    assert sum(size for _, size in found.kinds().values()) == found.subject.size


def test_survey_finds_copies_of_blas_and_openmp(tmp_path: Path) -> None:
    found = survey(tmp_path, {**DEMO, **BLAS})
    assert [(one.family, one.size) for one in found.libraries["BLAS"]] == [
        ("OpenBLAS", 4000),
        ("OpenBLAS", 3000),
    ]
    assert [one.family for one in found.libraries["OpenMP"]] == ["GNU OpenMP"]
    assert remedies(found)["one shared BLAS instead of 2 copies"].saved == 3000


@needs_compiler
def test_symbols_of_an_unstripped_library_are_what_strip_removes(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text(
        "static int hidden(int x) { return x; } int shown(void) { return hidden(1); }"
    )
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-o", tmp_path / "x.so", tmp_path / "x.c"], check=True)
    library = (tmp_path / "x.so").read_bytes()
    found = survey(tmp_path, distribution("demo", {"demo/__init__.py": b"", "demo/x.so": library}))
    subprocess.run(["strip", tmp_path / "x.so"], check=True)
    saved = len(library) - (tmp_path / "x.so").stat().st_size
    assert found.symbols()["demo/x.so"] == pytest.approx(saved, rel=0.25)
    stripped = (tmp_path / "x.so").read_bytes()
    assert survey(tmp_path, distribution("demo", {"demo/x.so": stripped})).symbols() == {}
    cut = distribution("demo", {"demo/x.so": library[:700]})
    assert survey(tmp_path, cut).symbols() == {}, "a damaged file saves nothing"


def test_tests_of_a_package_with_a_recipe_are_removed_as_it_says(tmp_path: Path) -> None:
    """slim alone keeps them, for numpy names the folder."""
    files = {"numpy/__init__.py": b"from numpy import tests\n", "numpy/tests/test_x.py": b"x = 1\n"}
    found = survey(tmp_path, distribution("numpy", files))
    assert found.levers()["tests"] == (1, 6)
    assert "tests" not in survey(tmp_path / "b", distribution("nunpy", files)).levers()


def test_components_of_a_recipe_are_remedies_that_take_a_feature(tmp_path: Path) -> None:
    files = {
        "scipy/__init__.py": b"",
        "scipy/signal/__init__.py": b"x" * 90,
        "scipy/signal/tests/test_a.py": b"y",
    }
    found = remedies(survey(tmp_path, distribution("scipy", files)))
    (action,) = (name for name in found if "scipy/signal" in name)
    assert (found[action].saved, found[action].harmless) == (90, False)


def test_remedies_count_no_byte_twice(tmp_path: Path) -> None:
    pip = distribution(
        "pip", {"pip/__init__.py": b"p" * 30, "pip/__pycache__/__init__.cpython-311.pyc": b"c" * 9}
    )
    found = survey(tmp_path, {**DEMO, **BLAS, **pip})
    rows = remedies(found)
    assert rows["no bytecode (`pip install --no-compile`)"].saved == 9, "that of tests is removed with them"
    assert sum(one.saved for one in rows.values()) <= found.subject.size


def excesses(tmp_path: Path, found: Survey, limit: str) -> tuple[Excess, ...]:
    return find_excess(found, read_limit(limit), BOOK)


def test_excess_ranks_packages_and_finds_the_remedies(tmp_path: Path) -> None:
    found = survey(tmp_path, {**DEMO, **BLAS})
    (excess,) = excesses(tmp_path, found, "5000")
    assert excess.parts[0].name == "numpy"
    assert excess.remedies[0].action == "one shared BLAS instead of 2 copies"
    assert excess.needed == 1
    assert excesses(tmp_path, found, "1MiB") == ()


def test_excess_of_a_zip_limit_uses_the_bytes_in_the_archive(tmp_path: Path) -> None:
    """A folder is as large as the archive that zipfile makes of it."""
    from spokeshave.limits import Bound, Limit

    root = write_files(tmp_path / "root", {**DEMO, **BLAS})
    with zipfile.ZipFile(tmp_path / "layer.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(root))
    limit = Limit(name="tiny", form="archive", bounds=(Bound(quantity="zipped", size=10),))
    (of_folder,) = find_excess(survey_of(root, tmp_path), limit, BOOK)
    (of_zip,) = find_excess(survey_of(tmp_path / "layer.zip", tmp_path), limit, BOOK)
    assert of_zip.size == (tmp_path / "layer.zip").stat().st_size
    assert of_folder.size == pytest.approx(of_zip.size, abs=30), "but for the end of the directory"
    assert of_folder.size < 3000
    assert [part.name for part in of_folder.parts] == [part.name for part in of_zip.parts]


def test_excess_ranks_folders_outside_of_packages_and_hidden_files(tmp_path: Path) -> None:
    site = "usr/lib/python3.11/site-packages"
    lower = tar_bytes({**below(site, DEMO), "opt/model/a.bin": b"a" * 5000, "etc/conf": b"c" * 300})
    image = docker_archive(tmp_path / "image.tar", [lower, tar_bytes({"etc/.wh.conf": b""})])
    (excess,) = excesses(tmp_path, survey_of(image, tmp_path), "1kB")
    assert [(part.name, part.size) for part in excess.parts] == [
        ("opt/model (no package)", 5000),
        ("demo 1.0", sum(map(len, DEMO.values()))),
        ("files that upper layers hide", 300),
    ]


@pytest.mark.parametrize("limit", ["lambda-image"])
def test_limit_of_another_form_is_refused(tmp_path: Path, limit: str) -> None:
    with pytest.raises(UsageFault, match="container images"):
        excesses(tmp_path, survey(tmp_path, DEMO), limit)


def test_wheelhouse_is_surveyed_wheel_by_wheel(tmp_path: Path) -> None:
    (house := tmp_path / "house").mkdir()
    for name in ("demo", "more"):
        with zipfile.ZipFile(house / f"{name}-1.0-py3-none-any.whl", "w") as archive:
            for member, content in distribution(name, {f"{name}/__init__.py": b"x = 1\n"}).items():
                archive.writestr(member, content)
    found = survey_of(house, tmp_path)
    assert found.subject.form == "wheelhouse"
    assert {(one.name, one.site) for one in found.packages} == {
        (name, f"{name}-1.0-py3-none-any.whl") for name in ("demo", "more")
    }


def test_zip_archive_with_a_hostile_member_is_refused(tmp_path: Path) -> None:
    from spokeshave.errors import UnsafeArchive

    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as archive:
        archive.writestr("python/../../outside.py", "x")
    with pytest.raises(UnsafeArchive, match="outside"):
        survey_of(tmp_path / "layer.zip", tmp_path)
