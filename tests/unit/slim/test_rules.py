"""Rules on small wheels: what is removed, what says so, what is kept, and what is noted."""

from __future__ import annotations

import gzip
import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spokeshave.errors import RecipeError, UsageFault
from spokeshave.inside.stub_message import MARK, components_in
from spokeshave.recipes.book import RecipeBook
from spokeshave.slim.import_check import Imported, compare_imports
from spokeshave.slim.intake import read_stock
from spokeshave.slim.make_wheel import Known, slim
from spokeshave.slim.minify import _pickle
from spokeshave.slim.model import DEFAULT_LEVERS, RULES, Settings, Slimmed
from spokeshave.slim.rules import choose, refuse_unknown, with_profile
from support import demo_files, write_wheel

NAME = "demo-1.0-py3-none-any.whl"
HEAD = 'schema = 1\nname = "demo"\nversions = ">=1,<2"\nsizes = "1.0"\n'
ROW = 'reason = "nobody reads these"\ntest = "check"\nsaved = 0\n'
PART = f'{ROW}missed = "an error that says so"\n'


def folder_with(tmp_path: Path, rows: str, name: str = "demo") -> Path:
    """A folder of recipes with rules of these rows."""
    folder = tmp_path / "recipes"
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "rules" / f"{name}.toml").write_text(HEAD.replace("demo", name) + rows)
    return folder


def made(tmp_path: Path, rows: str, files: Mapping[str, bytes], settings: Settings | None = None) -> Slimmed:
    """Slims a small wheel of these files, next to those of the demo, with these rules."""
    settings = settings or Settings(levers=(RULES,))
    stock = read_stock(write_wheel(tmp_path / "in" / NAME, {**demo_files(), **files}))
    (tmp_path / "work").mkdir()
    known = Known(rules=choose([folder_with(tmp_path, rows)], stock, settings))
    return slim(stock, settings, output=tmp_path / "out", scratch=tmp_path / "work", known=known)


def content(slimmed: Slimmed) -> dict[str, bytes]:
    with zipfile.ZipFile(slimmed.wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "dist-info" not in name}


def notes(slimmed: Slimmed) -> list[str]:
    return [note for row in slimmed.savings for note in row.notes]


def test_rule_remove_is_on_by_default_and_keep_wins(tmp_path: Path) -> None:
    rows = f'[[rules]]\nname = "po"\nremove = ["*.po"]\nkeep = ["*/own.po"]\n{ROW}'
    files = {"demo/a.po": b"12345", "demo/own.po": b"1", "demo/users.po": b"1"}
    slimmed = made(tmp_path, rows, files, Settings(levers=(RULES,), keep=("*/users.po",)))
    assert content(slimmed).keys() == {"demo/__init__.py", "demo/own.po", "demo/users.po"}
    assert [(row.lever, row.saved, row.files) for row in slimmed.savings] == [("rules/po", 5, 1)]
    assert slimmed.gone == ("demo/a.po",)


def test_rules_switched_off_change_nothing(tmp_path: Path) -> None:
    rows = f'[[rules]]\nname = "po"\nremove = ["*.po"]\n{ROW}'
    levers = tuple(name for name in DEFAULT_LEVERS if name != RULES)
    assert "demo/a.po" in content(made(tmp_path, rows, {"demo/a.po": b"1"}, Settings(levers=levers)))


def test_rules_that_are_a_draft_do_not_act(tmp_path: Path) -> None:
    rows = f'[[rules]]\nname = "po"\nremove = ["*.po"]\n{ROW}'
    rows += f'[[components]]\nname = "aio"\nmodules = ["demo.aio"]\n{PART}'
    folder = folder_with(tmp_path, f"draft = true\n{rows}")
    stock = read_stock(write_wheel(tmp_path / NAME, demo_files()))
    assert choose([folder], stock, Settings()).rows == ()
    assert len(choose([folder], stock, Settings(), drafts=True).rows) == 1
    with pytest.raises(RecipeError, match="no rules offer"):
        refuse_unknown([folder], Settings(remove=("demo/aio",)), [stock])


def test_rule_pattern_without_a_file_is_noted(tmp_path: Path) -> None:
    rows = f'[[rules]]\nname = "po"\nremove = ["*.po", "*.pot"]\n{ROW}'
    slimmed = made(tmp_path, rows, {"demo/a.po": b"1"})
    assert notes(slimmed) == ["'*.pot' matches nothing in 1.0, which the row is for: update the rules"]


def test_rules_of_other_versions_are_noted_and_do_not_act(tmp_path: Path) -> None:
    rows = f'[[rules]]\nname = "po"\nremove = ["*.po"]\n{ROW}'
    folder = folder_with(tmp_path, rows)
    path = folder / "rules" / "demo.toml"
    path.write_text(path.read_text().replace(">=1,<2", ">=2,<3").replace('"1.0"', '"2.0"'))
    stock = read_stock(write_wheel(tmp_path / NAME, demo_files()))
    chosen = choose([folder], stock, Settings())
    assert chosen.rows == ()
    assert chosen.skipped == "the rules of demo are for versions >=2,<3: they do not act on 1.0"


def test_rule_row_of_other_versions_or_architectures_does_not_act(tmp_path: Path) -> None:
    row = f'[[rules]]\nname = "NAME"\nremove = ["*.po"]\n{ROW}'
    new = row.replace("NAME", "new") + 'versions = ">=1.5"\n'
    arm = row.replace("NAME", "arm") + 'arch = "aarch64"\n'
    path = tmp_path / "demo-1.0-cp311-cp311-manylinux2014_x86_64.whl"
    stock = read_stock(write_wheel(path, demo_files()))
    folder = folder_with(tmp_path, row.replace("NAME", "old") + new + arm)
    assert [one.name for one in choose([folder], stock, Settings()).rows] == ["old"]


def test_rule_json_drops_texts_and_keeps_fields_of_that_name(tmp_path: Path) -> None:
    data = {
        "description": "text",
        "texts": {"description": {"type": "string", "description": ["a", "b"]}},
        "values": [1.0, None, "ä"],
    }
    wanted = {"texts": {"description": {"type": "string"}}, "values": [1.0, None, "ä"]}
    how = 'kind = "json"\nfiles = ["*.json*"]\ndrop = ["description"]\n'
    rows = f'[[rules]]\nname = "texts"\n{ROW}[[rules.minify]]\n{how}'
    files = {
        "demo/a.json": json.dumps(data, indent=2).encode(),
        "demo/b.json.gz": gzip.compress(json.dumps(data, indent=2).encode()),
        "demo/wrong.json": b"{nothing",
        "demo/nan.json": b'[ NaN, {"description": "text"} ]',
    }
    slimmed = made(tmp_path, rows, files)
    new = content(slimmed)
    assert json.loads(new["demo/a.json"]) == wanted
    assert json.loads(gzip.decompress(new["demo/b.json.gz"])) == wanted
    assert new["demo/wrong.json"] == files["demo/wrong.json"]
    assert new["demo/nan.json"] == files["demo/nan.json"]
    kept = [note.partition(" is kept")[0] for note in notes(slimmed)]
    assert kept == ["demo/nan.json", "demo/wrong.json"]
    old = sum(len(data) for name, data in files.items())
    assert slimmed.savings[0].saved == old - sum(len(new[name]) for name in files)


def test_rule_json_keeps_intact_keys_whole(tmp_path: Path) -> None:
    data = {"shapes": {"a": {"documentation": "text"}}, "params": {"b": {"documentation": "text"}}}
    how = 'kind = "json"\nfiles = ["*.json"]\ndrop = ["documentation"]\nintact = ["params"]\n'
    rows = f'[[rules]]\nname = "texts"\n{ROW}[[rules.minify]]\n{how}'
    new = content(made(tmp_path, rows, {"demo/a.json": json.dumps(data).encode()}))
    assert json.loads(new["demo/a.json"]) == {"shapes": {"a": {}}, "params": data["params"]}


def test_rule_pickle_loads_the_same_objects(tmp_path: Path) -> None:
    shared = ["x" * 5]
    data = pickle.dumps({"a": shared, "b": shared, **{str(n): str(n) for n in range(50)}}, 2)
    rows = f'[[rules]]\nname = "p"\n{ROW}[[rules.minify]]\nkind = "pickle"\nfiles = ["*.dat"]\n'
    slimmed = made(tmp_path, rows, {"demo/a.dat": data, "demo/b.dat": b"no pickle"})
    new = content(slimmed)
    assert pickle.loads(new["demo/a.dat"]) == pickle.loads(data)
    again = pickle.loads(new["demo/a.dat"])
    assert again["a"] is again["b"], "what was one object still is"
    assert len(new["demo/a.dat"]) < len(data)
    assert new["demo/b.dat"] == b"no pickle"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_rule_pickle_of_each_protocol_loads_the_same_objects(protocol: int) -> None:
    texts = ["", "ä" * 127, "ä" * 128, "x" * 255, "x" * 256, "x" * 70_000]
    value = {"a": texts, "again": texts, "other": (1.5, None, b"y" * 300, {text: text for text in texts})}
    old = pickle.dumps(value, protocol)
    new = _pickle(old)
    again = pickle.loads(new)
    assert again == value
    assert again["a"] is again["again"]
    assert len(new) < len(old) - 3 * 6 * (protocol in (2, 3)), "three bytes of each of six short strings"


def test_component_is_removed_on_request_alone_and_its_stub_says_so(tmp_path: Path) -> None:
    rows = f'[[components]]\nname = "aio"\nmodules = ["demo.aio", "demo.aio.core"]\n{PART}'
    files = {"demo/aio/__init__.py": b"", "demo/aio/core.py": b"", "demo/aio/data.json": b"{}"}
    (tmp_path / "kept").mkdir()
    assert files.keys() <= content(made(tmp_path / "kept", rows, files)).keys()
    settings = Settings(levers=(RULES,), remove=("demo/aio",))
    slimmed = made(tmp_path, rows, files, settings)
    assert content(slimmed).keys() == {"demo/__init__.py", "demo/aio.py"}
    with zipfile.ZipFile(slimmed.wheel) as archive:
        archive.extractall(tmp_path / "site")
    for words in ("import demo.aio", "from demo import aio"):
        done = subprocess.run(
            [sys.executable, "-c", words], cwd=tmp_path / "site", capture_output=True, text=True, check=False
        )
        assert f"ModuleNotFoundError: demo.aio{MARK}demo (1.0+slim.1)" in done.stderr
        assert "without --remove demo/aio, or install upstream's demo==1.0." in done.stderr
        assert components_in(done.stderr)[-1] == ("demo", "aio")


def test_component_of_data_leaves_a_note_in_its_folder(tmp_path: Path) -> None:
    rows = f'[[components]]\nname = "images"\nremove = ["demo/data/*.png"]\n{PART}'
    files = {"demo/data/a.png": b"1" * 2000, "demo/data/b.py": b""}
    slimmed = made(tmp_path, rows, files, Settings(levers=(RULES,), remove=("demo/images",)))
    new = content(slimmed)
    note = new["demo/data/spokeshave-removed-images.txt"]
    assert b"an error that says so" in note
    assert slimmed.savings[0].saved == 2000 - len(note)


def test_component_without_its_module_is_left_and_noted(tmp_path: Path) -> None:
    rows = f'[[components]]\nname = "aio"\nmodules = ["demo.aio"]\nremove = ["*.so.1"]\n{PART}'
    settings = Settings(levers=(RULES,), remove=("demo/aio",))
    slimmed = made(tmp_path, rows, {"demo/lib.so.1": b"1"}, settings)
    assert "demo/lib.so.1" in content(slimmed)
    assert notes(slimmed) == [
        "module demo.aio matches nothing in 1.0, which the row is for: update the rules"
    ]


LOCALES = f'[[locales]]\nname = "l"\nremove = ["demo/locale/{{locale}}.dat"]\nalways = ["root"]\n{PART}'
DATA = ("de", "de_AT", "en", "en_001", "en_GB", "fr", "no", "nb", "pt", "pt_BR", "pt_PT", "root", "zh_Hans")


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        (("de",), {"de", "de_AT"}),
        (("pt_br",), {"pt", "pt_BR"}),
        (("nb",), {"nb", "no"}),
        (("en_gb",), {"en", "en_GB", "en_001"}),
        (("zh_hans",), {"zh_Hans"}),
    ],
)
def test_locales_keep_the_chosen_and_what_they_need(
    tmp_path: Path, chosen: tuple[str, ...], kept: set[str]
) -> None:
    rows = f'{LOCALES}[locales.needs]\nnb = ["no"]\nen = ["en_001"]\n'
    files = {f"demo/locale/{name}.dat": b"1" for name in DATA}
    slimmed = made(tmp_path, rows, files, Settings(levers=(RULES,), locales=chosen))
    found = {Path(name).stem for name in content(slimmed) if name.endswith(".dat")}
    assert found == kept | {"root"}


def test_locales_without_data_are_noted(tmp_path: Path) -> None:
    files = {"demo/locale/de.dat": b"1", "demo/locale/en.dat": b"1"}
    slimmed = made(tmp_path, LOCALES, files, Settings(levers=(RULES,), locales=("de", "xx")))
    assert notes(slimmed) == ["there is no data of the locale 'xx'"]


def test_locales_that_are_modules_have_stubs(tmp_path: Path) -> None:
    rows = f'[[locales]]\nname = "l"\nmodules = ["demo.lang.{{locale}}"]\n{PART}'
    files = {f"demo/lang/{name}/__init__.py": b"" for name in ("de", "fr")}
    files |= {"demo/lang/__init__.py": b"", "demo/lang/punctuation.py": b""}
    new = content(made(tmp_path, rows, files, Settings(levers=(RULES,), locales=("de",))))
    assert b"without --locales" in new["demo/lang/fr.py"]
    assert {"demo/lang/de/__init__.py", "demo/lang/punctuation.py"} <= new.keys()
    assert "demo/lang/fr/__init__.py" not in new


def test_kept_files_of_the_rules_are_touched_by_no_lever(tmp_path: Path) -> None:
    rows = '[[keep]]\nfiles = ["demo/core.pyx"]\nreason = "compiled at run time"\ntest = "check"\n'
    files = {"demo/core.pyx": b"1", "demo/other.pyx": b"1"}
    assert content(made(tmp_path, rows, files, Settings())).keys() == {"demo/__init__.py", "demo/core.pyx"}


def test_slim_lost_names_of_a_component_are_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = f'[[components]]\nname = "s3"\nmodules = ["demo.s3"]\nlost = ["demo.fs.S3*", "demo.user"]\n{PART}'
    files = {"demo/s3.py": b"", "demo/fs.py": b"", "demo/user.py": b"", "demo/more.py": b""}
    slimmed = made(tmp_path, rows, files, Settings(levers=(RULES,), remove=("demo/s3",)))
    assert "demo.s3" not in slimmed.gone
    theirs = {"demo.fs": {"S3FileSystem", "other"}, "demo.user": {"a"}, "demo.more": {"b"}, "demo": {"c"}}
    mine = {"demo.fs": {"other"}, "demo.more": set(), "demo": {"c"}}

    def imported(side: Mapping[str, set[str]]) -> Mapping[str, Imported]:
        return {
            name: Imported(offers=frozenset(side[name])) if name in side else Imported(error="lost")
            for name in theirs
        }

    monkeypatch.setattr("spokeshave.slim.import_check.import_all", lambda *_, **__: imported(mine))
    none: Any = SimpleNamespace(site=tmp_path)  # nothing is run
    found = compare_imports(imported(theirs), none, folder=tmp_path, runner=none, excused=slimmed.excused)
    assert found.faults == ("demo.more lacks b",)


def test_remove_of_an_unknown_component_says_what_is_near(tmp_path: Path) -> None:
    rows = f'[[components]]\nname = "aio"\nmodules = ["demo.aio"]\n{PART}'
    folder = folder_with(tmp_path, rows)
    stock = read_stock(write_wheel(tmp_path / NAME, demo_files()))
    with pytest.raises(RecipeError, match="no rules offer the component 'demo/oai'") as caught:
        refuse_unknown([folder], Settings(remove=("demo/oai",)), [stock])
    assert caught.value.next_step and caught.value.next_step.startswith("did you mean 'demo/aio'?")
    with pytest.raises(UsageFault, match="--without rules switches off"):
        refuse_unknown([folder], Settings(levers=("tests",), remove=("demo/aio",)), [stock])
    folder_with(tmp_path, rows, "other")
    with pytest.raises(UsageFault, match="none of the wheels is of that package; they are of demo"):
        refuse_unknown([folder], Settings(remove=("other/aio",)), [stock])


def test_rules_digest_changes_with_what_acts_alone(tmp_path: Path) -> None:
    row = f'[[rules]]\nname = "po"\nremove = ["*.po"]\n{ROW}'
    stock = read_stock(write_wheel(tmp_path / NAME, demo_files()))

    def digest(text: str) -> str:
        return choose([folder_with(tmp_path, text)], stock, Settings()).digest

    before = digest(row)
    assert digest(row.replace("saved = 0", "saved = 7")) == before
    assert digest(row.replace("*.po", "*.pot")) != before


def test_profile_removes_components_of_rules(tmp_path: Path) -> None:
    rows = f'[[components]]\nname = "aio"\nmodules = ["demo.aio"]\n{PART}'
    folder = folder_with(tmp_path, rows)
    (folder / "profiles").mkdir()
    row = '[[remove]]\ncomponent = "demo/{}"\nreason = "no asyncio here"\n'
    path = folder / "profiles" / "small.toml"
    path.write_text('schema = 1\nname = "small"\nsummary = "s"\n' + row.format("aio"))
    book = RecipeBook([folder])
    assert with_profile(book, Settings(), "small").remove == ("demo/aio",)
    assert with_profile(book, Settings(), "") == Settings()
    path.write_text('schema = 1\nname = "small"\nsummary = "s"\n' + row.format("oai"))
    with pytest.raises(RecipeError, match="no rules offer"):
        with_profile(book, Settings(), "small")
