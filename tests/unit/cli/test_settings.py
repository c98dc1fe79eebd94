"""A project's settings: where they are found, which options take them, and their faults."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from spokeshave.cli import main
from spokeshave.cli.settings import VARIABLES, default_map, find_settings, setting_of
from spokeshave.errors import SettingsError
from support import RECIPES, demo_files, needs_compiler, write_wheel

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the command in `tmp_path/project/inner`, with no settings around but those of the test."""
    here = tmp_path / "project" / "inner"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    for name in (name for names in VARIABLES.values() for name in names):
        monkeypatch.delenv(name, raising=False)
    before = signal.getsignal(signal.SIGTERM)
    yield lambda *words, **env: CliRunner().invoke(main, words, env=env, catch_exceptions=False)
    signal.signal(signal.SIGTERM, before)


def held(result: Result) -> dict[str, tuple[str | None, str, str]]:
    """What `config --json` says: value, source and where, by setting."""
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["settings"]
    return {row["setting"]: (row["value"], row["source"], row["where"]) for row in rows}


def test_config_without_any_file_shows_defaults(run: Run) -> None:
    found = held(run("config", "--json"))
    assert found["profile"] == ("lean", "default", "")
    assert found["python"] == ("cp311", "default", "")
    assert found["index"] == (None, "default", "")
    assert found["store"][1] == "default" and found["store"][0]
    text = run("config").stdout
    assert "no spokeshave.toml or [tool.spokeshave] from the working folder upwards" in text


def test_config_precedence_is_option_environment_file_default(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "project" / "spokeshave.toml"
    file.write_text('profile = "full"\npython = "cp312"\nstore = "cache"\n')
    words = ("config", "--json")
    assert held(run(*words))["profile"] == ("full", "file", str(file))
    assert held(run(*words, SPOKESHAVE_PROFILE="sklearn"))["profile"] == (
        *("sklearn", "environment", "SPOKESHAVE_PROFILE"),
    )
    found = held(run(*words, "--profile", "netlib", SPOKESHAVE_PROFILE="sklearn"))
    assert found["profile"] == ("netlib", "option", "--profile")
    assert found["python"] == ("cp312", "file", str(file))
    assert held(run("--store", "mine", *words))["store"][1:] == ("option", "--store")
    for name in ("SPOKESHAVE_STORE", "SPOKESHAVE_CACHE"):
        assert held(run(*words, **{name: "mine"}))["store"][1:] == ("environment", name)


def test_settings_paths_are_relative_to_the_file(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "app.toml").write_text('schema = 1\nname = "app"\nextends = "lean"\nsummary = "x"\n')
    (project / "mine").mkdir()
    text = 'index = "out/index"\nstore = "cache"\nrecipes = "mine"\nprofile = "app.toml"\n'
    (project / "spokeshave.toml").write_text(text)
    found = {key: value for key, (value, _, _) in held(run("config", "--json")).items()}
    assert found == {
        **{"index": str(project / "out/index"), "store": str(project / "cache"), "python": "cp311"},
        **{"recipes": str(project / "mine"), "profile": str(project / "app.toml")},
    }


def test_settings_nearest_file_with_the_table_is_used(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "spokeshave.toml").write_text('profile = "full"\n')
    inner = project / "inner" / "pyproject.toml"
    inner.write_text("[tool.other]\nx = 1\n[tool.ruff]\nline-length = 100\n")
    assert held(run("config", "--json"))["profile"][0] == "full"
    inner.write_text('[tool.spokeshave]\nprofile = "sklearn"\n')
    assert held(run("config", "--json"))["profile"] == ("sklearn", "file", str(inner))


def test_settings_two_files_use_spokeshave_toml_and_print_so(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "pyproject.toml").write_text('[tool.spokeshave]\nprofile = "sklearn"\n')
    (project / "spokeshave.toml").write_text('profile = "full"\n')
    result = run("config", "--json")
    assert held(result)["profile"][0] == "full"
    assert f"[tool.spokeshave] in {project / 'pyproject.toml'} is not" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('profil = "full"', "profil: unknown key; did you mean 'profile'?"),
        (
            'profile = "full"\nwheels = "x"',
            "wheels: unknown key; known: index, profile, python, recipes, store",
        ),
        ("profile = 3", "profile: 3 is not a text between quotation marks"),
        ('python = "3.11"', "python: '3.11' is not a Python tag"),
        ('python = "cp3111"', "python: 'cp3111' is not a Python tag; did you mean 'cp311'?"),
        ('recipes = "nowhere"', "recipes: there is no folder "),
        ('profile = "app.toml"', "profile: there is no file "),
        ("profile =", "not valid TOML"),
    ],
)
@pytest.mark.parametrize("name", ["spokeshave.toml", "pyproject.toml"])
def test_settings_that_are_not_valid_name_file_and_key(
    run: Run, tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / "project" / name
    shared = name == "pyproject.toml"
    path.write_text(f"[tool.spokeshave]\n{text}\n" if shared else f"{text}\n")
    result = run("config")
    assert result.exit_code == SettingsError.exit_code == 5
    assert result.stderr.startswith("error: ") and "next: " in result.stderr
    assert str(path) in result.stderr
    key = "" if said == "not valid TOML" or not shared else "tool.spokeshave."
    assert key + said in result.stderr
    for words in (("--help",), ("build", "--help"), ("plan", "-h")):
        assert run(*words).exit_code == 0, "help needs no settings"


def test_settings_faults_are_all_listed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "project" / "spokeshave.toml").write_text('profil = "x"\npython = "py3"\n')
    text = run("config").stderr
    assert "profil: " in text and "python: " in text


def parameters(group: click.Group) -> Iterator[tuple[str, click.Parameter]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", one) for inner, one in parameters(command))
        yield from ((name, one) for one in command.params)


def test_settings_reach_every_option_but_named_exceptions() -> None:
    """Who has --profile or --python takes the setting; exceptions are named here."""
    lacking = {
        (command, one.name)
        for command, one in parameters(main)
        if one.name in ("profile", "python") and setting_of(one) != one.name
    }
    assert lacking == {("trace", "profile"), ("slim", "profile"), ("image build", "python")}
    taking = {(command, setting_of(one)) for command, one in parameters(main)}
    assert {("publish", "index"), ("serve", "index")} <= taking
    assert {setting_of(one) for one in main.params} == {None, "store", "recipes"}


def test_default_map_has_the_settings_by_command(tmp_path: Path) -> None:
    (tmp_path / "spokeshave.toml").write_text('profile = "full"\nstore = "s"\nindex = "i"\n')
    found: dict[str, Any] = default_map(find_settings(tmp_path), main)
    assert found["cache"] == str(tmp_path / "s")
    assert found["build"] == {"profile": "full"}
    assert found["publish"] == {"to": str(tmp_path / "i")}
    assert "trace" not in found


@needs_compiler
def test_plan_uses_profile_store_and_recipes_of_the_project(run: Run, tmp_path: Path) -> None:
    text = f'profile = "full"\nstore = "cache"\nrecipes = "{RECIPES}"\n'
    (tmp_path / "project" / "spokeshave.toml").write_text(text)
    words = ("plan", "openblas", "--engine", "host", "--json")
    result = run(*words)
    assert [plan["profile"] for plan in json.loads(result.stdout)] == ["full"], result.stderr
    assert (tmp_path / "project" / "cache").is_dir()
    assert [plan["profile"] for plan in json.loads(run(*words, "--profile", "lean").stdout)] == ["lean"]


def test_publish_uses_the_index_of_the_project(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "spokeshave.toml").write_text('index = "index"\nstore = "cache"\n')
    wheel = write_wheel(tmp_path / "demo-1.0-py3-none-any.whl", demo_files())
    assert run("publish", str(wheel), "--unverified").exit_code == 0
    assert (project / "index" / "simple" / "demo").is_dir()
    words = ("publish", str(wheel), "--unverified", "--repository", "x")
    result = run(*words)
    assert "need --simple URL" in result.stderr, "a named server replaces the index"
    result = run(*words, "--to", str(tmp_path / "other"))
    assert "give one of --to DIR" in result.stderr, "both on the command line are too many"


@pytest.mark.parametrize("text", ["[project]\nname = {{ cookiecutter.name }}\n", "tool = 3\n", "\x00"])
def test_settings_foreign_pyproject_that_does_not_name_us_is_passed_over(
    run: Run, tmp_path: Path, text: str
) -> None:
    (tmp_path / "project" / "pyproject.toml").write_text(text)
    assert held(run("config", "--json"))["profile"] == ("lean", "default", "")


def test_settings_damaged_pyproject_that_names_us_is_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "project" / "pyproject.toml").write_text("[tool.spokeshave]\nprofile = {{ x }}\n")
    assert run("config").exit_code == SettingsError.exit_code


def test_settings_home_of_an_unknown_user_is_a_fault_of_its_key(run: Run, tmp_path: Path) -> None:
    (tmp_path / "project" / "spokeshave.toml").write_text('store = "~no-such-user-here/x"\n')
    result = run("config")
    assert result.exit_code == SettingsError.exit_code
    assert "store: Could not determine home directory" in result.output


@pytest.mark.parametrize("name", ["spokeshave.toml", "pyproject.toml"])
def test_settings_unknown_profile_names_file_and_key(run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / "project" / name
    shared = name == "pyproject.toml"
    path.write_text(("[tool.spokeshave]\n" if shared else "") + 'profile = "leen"\n')
    fault = f"{'tool.spokeshave.' if shared else ''}profile: there is no profile 'leen'; did you mean 'lean'?"
    for command in ("config", "plan numpy --engine host"):
        result = run("--recipes", str(RECIPES), *command.split())
        assert result.exit_code == SettingsError.exit_code
        assert str(path) in result.stderr and fault in result.stderr
    for command in ("config --profile full", "schema profile"):
        assert run("--recipes", str(RECIPES), *command.split()).exit_code == 0, "the setting is not used"


def test_settings_python_that_cannot_be_built_for_names_file_and_key(run: Run, tmp_path: Path) -> None:
    """The user gave no --python: an error that names it would send them to the wrong place."""
    path = tmp_path / "project" / "spokeshave.toml"
    path.write_text('python = "cp315"\n')
    result = run("plan", "numpy", "--engine", "host")
    assert result.exit_code == SettingsError.exit_code
    assert f"{path} has settings that are not valid" in result.output
    assert "python: cannot build for cp315 here" in result.output
    given = run("plan", "numpy", "--engine", "host", "--python", "cp315")
    assert given.exit_code == 2
    assert "Invalid value for --python" in given.output
