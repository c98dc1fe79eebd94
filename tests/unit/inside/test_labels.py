"""Names of profiles and the local versions that wheels have of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from smallstack import small_stack
from spokeshave.build import delivery
from spokeshave.build.wheelhouse import candidates
from spokeshave.context import Context
from spokeshave.errors import RecipeError, WheelError
from spokeshave.inside.model import BuildPlan, file_sha256, is_of_profile, local_label
from spokeshave.inside.stub_message import removed_message
from spokeshave.recipes.book import RecipeBook
from spokeshave.recipes.schema import profile_name
from spokeshave.verify.outcomes import missed
from support import RECIPES, demo_files, shipped_plan, write_wheel

PROFILE = 'schema = 1\nname = "{}"\nsummary = "small"\n'


@pytest.mark.parametrize("name", ["lean", "my-app", "my_app", "a1-b2_c", "app-007", "app-0x"])
def test_local_label_is_as_pep_440_normalises_it(name: str) -> None:
    assert profile_name(name) == name
    assert f"1.0+{local_label(name)}.1" == str(Version(f"1.0+{name}.1"))


@pytest.mark.parametrize(
    "name", ["", "My-app", "my.app", "my--app", "-app", "app-", "7up", "my app", "app\n", "ä"]
)
def test_profile_name_another_one_is_refused_with_what_it_may_have(name: str) -> None:
    with pytest.raises(ValueError, match="small letters and digits"):
        profile_name(name)


def test_is_of_profile_one_that_begins_alike_is_another() -> None:
    assert is_of_profile("2.4.6+my.app.12", "my-app")
    assert not is_of_profile("2.4.6+my.app.1", "my")
    assert not is_of_profile("2.4.6+my.2.1", "my")
    assert not is_of_profile("2.4.6", "my")


def profiles(folder: Path, *names: str) -> RecipeBook:
    (folder / "profiles").mkdir(parents=True)
    for name in names:
        (folder / "profiles" / f"{name}.toml").write_text(PROFILE.format(name))
    return RecipeBook([folder])


def test_profile_two_of_one_label_are_refused(tmp_path: Path) -> None:
    book = profiles(tmp_path, "my-app", "my_app", "other")
    assert book.profile("other").name == "other"
    with pytest.raises(RecipeError, match=r"'my-app' and 'my_app' have one label, \+my\.app"):
        book.profile("my-app")
    (tmp_path / "my_app.toml").write_text(PROFILE.format("my_app"))
    with pytest.raises(RecipeError, match="one label"):
        book.profile(str(tmp_path / "my_app.toml"))


def test_profile_a_bad_name_says_which_characters_are_allowed(tmp_path: Path) -> None:
    book = profiles(tmp_path, "My.App")
    with pytest.raises(RecipeError, match=r"'My\.App' cannot name a profile: a name has small letters"):
        book.profile("My.App")


def plan_of(package: str, profile: str, build: int = 1) -> BuildPlan:
    plan = shipped_plan(package)
    blas = {name: f"0.3.31+{local_label(profile)}.1" for name in plan.libraries}
    return replace(plan, profile=profile, build=build, libraries=blas)


def deliver(folder: Path, package: str, profile: str, build: int = 1) -> Path:
    """A wheel of a profile with its record, as `build` leaves them."""
    plan = plan_of(package, profile, build)
    name = plan.distribution.replace("-", "_")
    files = demo_files(name, plan.local_version)
    wheel = write_wheel(folder / f"{name}-{plan.local_version}-cp311-cp311-linux_x86_64.whl", files)
    record = {"wheel": {"sha256": file_sha256(wheel)}, "tests": None, "build_plan": plan.to_json()}
    wheel.with_name(wheel.name.replace(".whl", ".record.json")).write_text(json.dumps(record))
    return wheel


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "small" / "recipes").mkdir(parents=True)
    return replace(small_stack(tmp_path / "small", {}), book=RecipeBook([RECIPES]))


def test_candidates_companions_are_of_the_same_profile(tmp_path: Path, context: Context) -> None:
    """The versions of my-2 are higher than those of my, and begin alike."""
    scipy, numpy = (deliver(tmp_path, package, "my") for package in ("scipy", "numpy"))
    for profile in ("my", "my-2", "my-app"):
        deliver(tmp_path, "openblas", profile)
        deliver(tmp_path, "numpy", profile)
    newer = deliver(tmp_path, "numpy", "my", 2)
    (one,) = candidates(context, (scipy,))
    assert [path.path.name.split("-")[1] for path in one.companions] == ["2.4.6+my.2", "0.3.31+my.1"]
    (one,) = candidates(context, (deliver(tmp_path, "scipy", "my-app"),))
    assert [path.path.name.split("-")[1] for path in one.companions] == ["2.4.6+my.app.1", "0.3.31+my.app.1"]
    for path in (numpy, newer):
        path.unlink()
    with pytest.raises(WheelError, match="needs numpy of profile my, which is neither named nor next to"):
        candidates(context, (scipy,))


def test_refuse_namesakes_a_wheel_of_another_profile_is_not_overwritten(tmp_path: Path) -> None:
    deliver(tmp_path, "numpy", "my-app")
    (tmp_path / "numpy-2.4.6+my.app.1-x.record.json").write_text("[]")  # of something else
    delivery.refuse_namesakes([plan_of("numpy", "my-app"), plan_of("scipy", "my_app")], tmp_path)
    with pytest.raises(RecipeError, match="is of profile 'my-app', whose label is that of 'my_app'"):
        delivery.refuse_namesakes([plan_of("numpy", "my_app")], tmp_path)


def test_missed_the_stub_of_a_profile_with_words_is_recognised() -> None:
    plan = shipped_plan("scipy", "sklearn")
    plan = replace(plan, profile="my-small_app")
    part = next(part for part in plan.removed if part.modules)
    said = f"ModuleNotFoundError: {removed_message(plan, part, part.modules[0])}"
    found = missed({"a.py::test": ("failed", said)}, {(plan.distribution, part.component): "gone"})
    assert found == {"a.py::test": "gone"}
