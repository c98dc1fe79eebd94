"""Recipes and profiles: what ships loads, and every mistake is told with its place and a hint."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from demorecipe import PROFILE, RECIPE
from spokeshave.errors import RecipeError
from spokeshave.recipes.book import RecipeBook
from support import RECIPES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipes folder with one package and one profile, both sound."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "profiles").mkdir()
    for name in ("lock.txt", "exports.txt", "one.patch"):
        (tmp_path / "demo" / name).write_text(f"content of {name}\n")
    (tmp_path / "demo" / "recipe.toml").write_text(RECIPE)
    (tmp_path / "profiles" / "small.toml").write_text(PROFILE)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) >= 1, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", RecipeBook([RECIPES]).names())
def test_shipped_recipes_load(name: str) -> None:
    loaded = RecipeBook([RECIPES]).load(name)
    assert loaded.recipe.name == name
    for lock in (loaded.recipe.build.requires, loaded.recipe.verify.requires):
        assert lock is None or loaded.files[lock].count("--hash=sha256:") > 0


@pytest.mark.parametrize("name", RecipeBook([RECIPES]).names())
def test_no_component_names_a_test_twice(name: str) -> None:
    for part in RecipeBook([RECIPES]).load(name).recipe.components:
        rows = [row.test for row in part.tests]
        assert len(rows) == len(set(rows)), part.name


@pytest.mark.parametrize("name", RecipeBook([RECIPES]).profile_names())
def test_shipped_profiles_load(name: str) -> None:
    profile = RecipeBook([RECIPES]).profile(name)
    assert profile.name == name
    assert any(profile.levers.values())


def test_what_the_brief_promises_ships() -> None:
    book = RecipeBook([RECIPES])
    assert {"numpy", "openblas"} <= set(book.names())
    assert {"full", "lean"} <= set(book.profile_names())


def test_a_sound_recipe_is_read_as_written(folder: Path) -> None:
    loaded = RecipeBook([folder]).load("demo")
    assert loaded.recipe.build.levels[0].match == "*/cold/*"
    assert loaded.recipe.verify.skip[0].test == "demo/tests/test_net.py"
    assert set(loaded.files) == {"lock.txt", "exports.txt", "one.patch"}
    assert RecipeBook([folder]).profile("small").blas.kernels == ("HASWELL",)


@pytest.mark.parametrize(
    ("old", "new", "path", "meant"),
    [
        ("summary =", "sumary =", "sumary", "summary"),  # codespell:ignore sumary
        ("import-name =", "import_name =", "import_name", "import-name"),
        ("requires-python =", "require-python =", "versions.0.require-python", "requires-python"),
        ("sha256 =", "sha265 =", "versions.0.source.sha265", "sha256"),
        ("backend =", "backed =", "build.backed", "backend"),
        ("level =", "levle =", "build.levels.0.levle", "level"),  # codespell:ignore levle
        ("soname =", "so-name =", "build.library.so-name", "soname"),
        ("license-file =", "licence-file =", "bundled.0.licence-file", "license-file"),
        ("[[verify.skip]]", "[[verify.skips]]", "verify.skips", "skip"),
        ("test =", "tests =", "verify.skip.0.tests", "test"),
    ],
)
def test_an_unknown_key_is_told_with_its_path(
    folder: Path, old: str, new: str, path: str, meant: str
) -> None:
    change(folder / "demo" / "recipe.toml", old, new)
    with pytest.raises(RecipeError) as caught:
        RecipeBook([folder]).load("demo")
    assert f"  {path}: unknown key; did you mean {meant!r}?" in caught.value.what.splitlines()
    assert str(folder / "demo" / "recipe.toml") in caught.value.what
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("old", "new", "path", "meant"),
    [("[levers]", "[leavers]", "leavers", "levers"), ("kernels =", "kernel =", "blas.kernel", "kernels")],
)
def test_an_unknown_key_of_a_profile_too(folder: Path, old: str, new: str, path: str, meant: str) -> None:
    change(folder / "profiles" / "small.toml", old, new)
    with pytest.raises(RecipeError) as caught:
        RecipeBook([folder]).profile("small")
    assert f"  {path}: unknown key; did you mean {meant!r}?" in caught.value.what.splitlines()


def test_all_faults_are_told_at_once(folder: Path) -> None:
    change(folder / "demo" / "recipe.toml", "summary =", "sumary =")  # codespell:ignore sumary
    change(folder / "demo" / "recipe.toml", "license-file =", "licence-file =")
    faults = r"(?s)summary: .*required.*sumary: unknown"  # codespell:ignore sumary
    with pytest.raises(RecipeError, match=faults) as caught:
        RecipeBook([folder]).load("demo")
    assert "bundled.0.licence-file: unknown key" in caught.value.what


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('sha256 = "0', 'sha256 = "x', "versions.0.source.sha256: "),
        ('reason = "wants the network"', 'reason = "no"', "verify.skip.0.reason: "),
        ('level = "Os"', 'level = "O9"', "build.levels.0.level: "),
        ("schema = 1", "schema = 2", "schema: "),
        ('requires-python = ">=3.12"', 'requires-python = "3.12 or so"', "versions.0.requires-python: "),
    ],
)
def test_a_wrong_value_is_told_with_its_path(folder: Path, old: str, new: str, path: str) -> None:
    change(folder / "demo" / "recipe.toml", old, new)
    with pytest.raises(RecipeError) as caught:
        RecipeBook([folder]).load("demo")
    assert any(line.startswith(f"  {path}") for line in caught.value.what.splitlines()), caught.value.what


def test_an_sdist_or_wheels_as_the_backend_wants_it(folder: Path) -> None:
    path = folder / "demo" / "recipe.toml"
    sound = path.read_text()
    sdist = f'sha256 = "{"0" * 64}"'
    wheels = f'wheels = {{ manylinux_x86_64 = "{"0" * 64}" }}'
    prebuilt = '[build.prebuilt]\nfolder = "x/lib"\nsoname = "libx.so"\npkg-config = "x"\n'
    library, _, rest = sound.partition("[build.library]")[2].partition("[[bundled]]")
    assert rest
    for changed, said in (
        (sound.replace(sdist, wheels), "backend 'prebuilt' needs source.wheels"),
        (sound.replace(sdist, f"{sdist}, {wheels}", 1), "versions.0.source: .*not both"),
        (sound.replace(f", {sdist}", "", 1), "versions.0.source: .*give sha256"),
        (sound.replace('requires = "lock.txt"\n', "", 1), "build: .*requires: needed by all"),
        (sound.replace('backend = "make"', 'backend = "prebuilt"'), "build: .*belong together"),
        (sound.replace("[build.library]", f"{prebuilt}[build.library]"), "build: .*not both"),
        (sound.replace(f"[build.library]{library}", prebuilt), "build: .*belong together"),
    ):
        path.write_text(changed)
        with pytest.raises(RecipeError, match=said):
            RecipeBook([folder]).load("demo")
    good = sound.replace(f"[build.library]{library}", prebuilt).replace(sdist, wheels)
    good = good.replace('backend = "make"\nrequires = "lock.txt"', 'backend = "prebuilt"')
    path.write_text(good)
    assert RecipeBook([folder]).load("demo").recipe.build.shared is not None


def test_an_unknown_package_or_profile_has_a_hint() -> None:
    book = RecipeBook([RECIPES])
    with pytest.raises(RecipeError, match="no recipe for 'nunpy'") as caught:
        book.load("nunpy")
    assert caught.value.next_step == "did you mean 'numpy'?"
    with pytest.raises(RecipeError, match="no profile 'leen'") as caught:
        book.profile("leen")
    assert caught.value.next_step == "did you mean 'lean'?"
    with pytest.raises(RecipeError) as caught:
        book.profile("xyz")
    assert caught.value.next_step.startswith("known: full, lean")


@pytest.mark.parametrize("name", ["lock.txt", "exports.txt", "one.patch"])
def test_a_missing_file_is_told(folder: Path, name: str) -> None:
    (folder / "demo" / name).unlink()
    with pytest.raises(RecipeError, match=rf"recipe\.toml names '{name}', which cannot be read"):
        RecipeBook([folder]).load("demo")


def test_files_keep_their_line_ends(folder: Path) -> None:
    (folder / "demo" / "one.patch").write_bytes(b" one\r\n-two\r\n+three\n")
    assert RecipeBook([folder]).load("demo").files["one.patch"] == " one\r\n-two\r\n+three\n"


def test_text_that_is_not_utf8_is_told(folder: Path) -> None:
    (folder / "demo" / "one.patch").write_bytes(b"caf\xe9\n")
    with pytest.raises(RecipeError, match=r"one\.patch"):
        RecipeBook([folder]).load("demo")
    (folder / "demo" / "recipe.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(RecipeError, match=r"recipe\.toml: not valid TOML"):
        RecipeBook([folder]).load("demo")


def test_broken_toml_is_told_with_its_line(folder: Path) -> None:
    change(folder / "demo" / "recipe.toml", 'name = "demo"', "name = demo")
    with pytest.raises(RecipeError, match=r"recipe\.toml: not valid TOML: .*line 3") as caught:
        RecipeBook([folder]).load("demo")
    assert caught.value.exit_code == 3


def test_a_name_that_is_not_the_folders_is_told(folder: Path) -> None:
    (folder / "demo").rename(folder / "other")
    with pytest.raises(RecipeError, match="name is 'demo', but its folder is 'other'"):
        RecipeBook([folder]).load("other")
    (folder / "profiles" / "small.toml").rename(folder / "profiles" / "tiny.toml")
    with pytest.raises(RecipeError, match="name is 'small', its file says 'tiny'"):
        RecipeBook([folder]).profile("tiny")


def test_the_first_folder_wins(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    second = tmp_path_factory.mktemp("second") / "recipes"
    shutil.copytree(folder, second)
    change(folder / "demo" / "recipe.toml", "A package for tests", "the first")
    book = RecipeBook([folder, second])
    assert book.load("demo").recipe.summary == "the first"
    assert book.names() == ["demo"]


@pytest.mark.parametrize(("name", "module"), [("scipy", "scipy.stats"), ("scikit-learn", "sklearn.ensemble")])
def test_recipe_timed_import_is_what_applications_import(name: str, module: str) -> None:
    assert RecipeBook([RECIPES]).load(name).recipe.timed_module == module


def test_recipe_without_timed_import_times_the_package(folder: Path) -> None:
    path = folder / "demo" / "recipe.toml"
    assert RecipeBook([folder]).load("demo").recipe.timed_module == "demo"
    change(path, 'import-name = "demo"', 'import-name = "demo"\ntimed-import = "other.part"')
    with pytest.raises(RecipeError, match=r"timed-import: 'other\.part' is not in 'demo'"):
        RecipeBook([folder]).load("demo")


def test_recipe_core_without_cpu_features_is_an_error(folder: Path) -> None:
    path = folder / "demo" / "recipe.toml"
    change(path, "[verify]\n", '[verify]\ncores = ["Haswell"]\n')
    with pytest.raises(RecipeError, match="cores and cpu-features must name the same cores: Haswell"):
        RecipeBook([folder]).load("demo")
