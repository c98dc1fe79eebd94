"""The recheck: a command runs again on a copy of its packages without what the profile removes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smallstack import small_stack
from spokeshave.context import Context
from spokeshave.trace.recheck import recheck
from spokeshave.trace.record import Recheck, Run
from spokeshave.trace.resolve import resolve
from spokeshave.trace.session import run_once
from spokeshave.trace.trimmed_run import Wanted
from support import TARGET

PATCH = """Why: alpha lives on without alpha.fast.

--- a/alpha/__init__.py
+++ b/alpha/__init__.py
@@ -1,2 +1,9 @@
 import alpha.calm
-from alpha.fast import work
+try:
+    from alpha.fast import work
+except ModuleNotFoundError as fault:
+    message = str(fault)
+
+    class work:
+        def __new__(cls):
+            raise ModuleNotFoundError(message, name="alpha.fast")
"""
ALPHA = {
    "alpha/__init__.py": "import alpha.calm\nfrom alpha.fast import work\n",
    "alpha/fast.py": "def work():\n    return 1\n",
    "alpha/calm.py": "def rest():\n    return 2\n",
    "alpha/deep.py": "def dive():\n    return 3\n",
    "alpha/table.csv": "1,2\n",
}
PARTS = "".join(
    f'[[components]]\nname = "{name}"\nsummary = "x"\nmodules = ["alpha.{name}"]\n{more}'
    for name, more in {
        "fast": 'patches = ["fast.patch"]\n',
        "calm": 'late = ["alpha.calm"]\n'
        '[[components.allow]]\nimporter = "alpha"\ntarget = "alpha.calm"\nreason = "its stub raises late"\n',
        "deep": "needed-by-pypi = true\n",
    }.items()
)
WHOLE = (
    '[[components]]\nname = "whole"\nsummary = "x"\nmodules = ["alpha._uncalled"]\n'
    'variants = ["alpha/_small"]\npatches = ["whole.patch"]\n'
)
# As scipy/patches/0024: it imports a module that only the variant has.
WHOLE_PATCH = """Why: the routines that nobody calls are removed.

--- a/alpha/calm.py
+++ b/alpha/calm.py
@@ -1,2 +1,3 @@
+import alpha._names
 def rest():
     return 2
"""
TABLE = '[[components]]\nname = "table"\nsummary = "x"\nfiles = ["alpha/*.csv"]\n'
LEAN = 'schema = 1\nname = "lean"\nsummary = "small"\n[levers]\n'
# The command with the recipes here alone: else the stack's own were read too.
ALONE = (
    "import pathlib, spokeshave.cli.common as base\n"
    "base.package_root = lambda: pathlib.Path('none/none/none')\n"
    "from spokeshave.cli import main\nmain()\n"
)
# No call is heard from here on, which the recorder reports as a loss.
DEAF = (
    "import sys\nsys.setprofile(None)\n"
    if sys.version_info < (3, 12)
    else "import sys\nfor number in (3, 4):\n    sys.monitoring.free_tool_id(number)\n"
)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Recipes of a package whose parts are Python here, and a site with it."""
    (tmp_path / "recipes" / "alpha").mkdir(parents=True)
    (tmp_path / "recipes" / "alpha" / "fast.patch").write_text(PATCH)
    made = small_stack(tmp_path, {"alpha": (ALPHA, PARTS + TABLE)})
    (tmp_path / "recipes" / "profiles" / "lean.toml").write_text(LEAN)
    for name, text in ALPHA.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return made


def rechecked(context: Context, script: str, *, deaf: bool = True) -> tuple[Run, dict[str, str], set[str]]:
    """A run of a script with its recheck, why components are kept, and which are removed."""
    folder = context.logs.parent
    path = folder / "app.py"
    path.write_text((DEAF if deaf else "") + script)
    environment = {**os.environ, "PYTHONPATH": str(folder / "site"), "HOME": str(folder)}
    traced = run_once(context, [sys.executable, str(path)], environment)
    base = context.book.profile("lean")
    run = recheck(context, Wanted(base=base, target=TARGET), traced, environment)
    found = resolve(context, base, TARGET, [run]).verdicts
    kept = {one.component.removeprefix("alpha/"): one.why for one in found if not one.removed}
    return run, kept, {one.component.removeprefix("alpha/") for one in found if one.removed}


def proof(run: Run) -> Recheck:
    assert run.recheck is not None
    return run.recheck


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }


def test_recheck_a_run_that_needs_nothing_more_passes_at_once(context: Context) -> None:
    before = snapshot(context.logs.parent / "site")
    run, _, gone = rechecked(context, "import alpha\n")
    assert proof(run).times == 1 and {"alpha/fast", "alpha/calm", "alpha/table"} <= set(proof(run).without)
    assert gone == {"fast", "calm", "deep", "table"}
    assert snapshot(context.logs.parent / "site") == before, "the install's own files stay as they are"


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("import alpha\ngetattr(alpha, chr(119) + 'ork')()\n", "fast"),
        ("import alpha\ntry:\n    vars(alpha)['work']()\nexcept ImportError:\n    pass\n", "fast"),
        ("import alpha\nvars(alpha)['calm'].rest()\n", "calm"),
        ("import alpha\ntry:\n    vars(alpha)['calm'].rest()\nexcept ImportError:\n    pass\n", "calm"),
    ],
)
def test_recheck_a_stub_that_is_met_is_kept_even_if_nobody_complains(
    context: Context, script: str, name: str
) -> None:
    needed = {f"alpha/{name}"}
    run, kept, _ = rechecked(context, script)
    assert set(proof(run).needed) == needed and proof(run).times == 2
    assert f"alpha.{name} was used in the recheck" in kept[name]
    assert ("the command failed without it" in kept[name]) == ("except" not in script)


def test_recheck_a_failure_that_no_stub_tells_of_keeps_all_that_is_in_doubt(context: Context) -> None:
    script = "import alpha, os\nos.stat(os.path.dirname(alpha.__file__) + '/table.csv')\n"
    run, kept, _ = rechecked(context, script)
    assert "the command failed (exit code 1) without components whose use is not visible" in kept["table"]
    assert proof(run).times == 2


def test_recheck_a_component_that_compiled_code_of_pypi_needs_is_not_tried(context: Context) -> None:
    run, kept, _ = rechecked(context, "import alpha\n__import__('alpha.deep')\n")
    assert "alpha/deep" in proof(run).untried and "deep" in kept


def test_recheck_a_component_with_variants_that_the_base_removes_is_not_laid_over(context: Context) -> None:
    recipes = context.logs.parent / "recipes"
    (recipes / "alpha" / "whole.patch").write_text(WHOLE_PATCH)
    with (recipes / "alpha" / "recipe.toml").open("a") as stream:
        stream.write(WHOLE)
    (recipes / "profiles" / "lean.toml").write_text(
        f'{LEAN}[[remove]]\ncomponent = "alpha/whole"\nreason = "nobody calls it"\n'
    )
    run, _, gone = rechecked(context, "import alpha\n")
    assert proof(run).fault == "" and proof(run).times == 1
    assert "alpha/whole" in proof(run).untried and "alpha/whole" not in proof(run).without
    assert {"fast", "calm", "table"} <= gone


def test_recheck_a_command_that_cannot_run_twice_proves_nothing(context: Context) -> None:
    run, kept, _ = rechecked(context, "import alpha, os\nos.mkdir(os.environ['HOME'] + '/once')\n")
    assert "does not end twice alike: with exit code 0, then 1" in proof(run).fault
    assert kept["fast"] == "loaded; use not visible"


def test_recheck_a_command_that_does_less_the_second_time_proves_nothing(context: Context) -> None:
    done = "os.environ['HOME'] + '/done'"
    script = f"import os\nif not os.path.exists({done}):\n    import alpha\n    open({done}, 'w').close()\n"
    run, kept, _ = rechecked(context, script)
    assert proof(run).fault == "the command did less than before: it did not import alpha"
    assert kept["fast"] == "loaded; use not visible"


@pytest.fixture
def piped() -> Iterator[None]:
    """Standard input is a pipe with a word in it."""
    (read, write), before = os.pipe(), os.dup(0)
    os.write(write, b"work")
    os.close(write)
    os.dup2(read, 0)
    yield
    os.dup2(before, 0)
    for handle in (read, before):
        os.close(handle)


@pytest.mark.usefixtures("piped")
def test_recheck_a_command_that_has_read_its_input_proves_nothing(context: Context) -> None:
    run, kept, _ = rechecked(context, "import alpha\nif name := sys.stdin.read():\n    vars(alpha)[name]()\n")
    assert "its input is a pipe or a file" in proof(run).fault
    assert kept["fast"] == "loaded; use not visible"


def test_recheck_a_module_that_the_install_lacks_is_passed_over(context: Context) -> None:
    (context.logs.parent / "site" / "alpha" / "deep.py").unlink()
    run, _, gone = rechecked(context, "import alpha\n")
    assert proof(run).fault == "" and "deep" in gone


def test_recheck_an_install_that_patches_do_not_fit_is_told(context: Context) -> None:
    (context.logs.parent / "site" / "alpha" / "__init__.py").write_text(
        "import alpha.calm, alpha.fast\nX = 1\n"
    )
    run, _, gone = rechecked(context, "import alpha\n", deaf=False)
    assert "removals cannot be simulated on the traced packages" in proof(run).fault
    assert proof(run).without == () and "deep" in gone


def test_recheck_packages_that_the_command_finds_itself_are_told(context: Context) -> None:
    script = "sys.path.insert(0, sys.argv[0].rpartition('/')[0] + '/site')\nimport alpha\n"
    assert "by itself, whatever PYTHONPATH says" in proof(rechecked(context, script)[0]).fault


def test_recheck_ctrl_c_keeps_the_first_run(context: Context) -> None:
    folder = context.logs.parent
    script = (
        "import alpha, os, time\nhome = os.environ['HOME']\n"
        "if os.path.exists(home + '/once'):\n    open(home + '/again', 'w').close()\n    time.sleep(60)\n"
        "open(home + '/once', 'w').close()\n"
    )
    (folder / "app.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(folder / "site"), "HOME": str(folder)}
    words = ["--cache", "cache", "--recipes", "recipes", "trace", "--output", "app.toml"]
    argv = [sys.executable, "-c", ALONE, *words, "--", sys.executable, "app.py"]
    with subprocess.Popen(argv, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not (folder / "again").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "the recheck was interrupted" in told and "the first run is recorded in" in told
    assert not (folder / "app.toml").exists()
    assert list((folder / "cache" / "logs").glob("run-*/trace.json"))


def test_recheck_a_copy_on_another_disk_works_too(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OSError(18, "cross-device link")

    monkeypatch.setattr("spokeshave.trace.overlay.os.link", refuse)
    assert proof(rechecked(context, "import alpha\n")[0]).times == 1
