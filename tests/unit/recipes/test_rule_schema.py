"""The rules as files: what is refused, and that those of the repository are whole."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from spokeshave.errors import RecipeError
from spokeshave.recipes.rule_book import rule_names, rules_of
from spokeshave.slim.locales import locale_in, read_locales
from support import RECIPES

HEAD = 'schema = 1\nname = "demo"\nversions = ">=1,<2"\nsizes = "1.0"\n'
ROW = '[[rules]]\nname = "po"\nremove = ["*.po"]\nreason = "nobody reads these"\ntest = "check"\nsaved = 0\n'
SHIPPED = rule_names([RECIPES])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + ROW.replace("remove", "removes"), "rules.0.removes: unknown key; did you mean 'remove'?"),
        (HEAD.replace("versions", "version") + ROW, "version: unknown key; did you mean 'versions'?"),
        (HEAD + ROW + ROW, "two rows have the name 'po'"),
        (HEAD + ROW.replace('["*.po"]', "[]"), "the row removes nothing"),
        (HEAD + ROW.replace('reason = "nobody reads these"\n', ""), "rules.0.reason: Field required"),
        (HEAD.replace('"1.0"', '"3.0"') + ROW, "`versions` does not admit 3.0"),
        (HEAD.replace("demo", "De_mo") + ROW, "write 'de-mo'"),
        (
            f'{HEAD}{ROW}[[rules.minify]]\nkind = "json"\nfiles = ["*.json"]\nintact = ["a"]\n',
            "`intact` is about `drop`, which names no keys",
        ),
        (HEAD.replace("demo", "other") + ROW, "name is 'other', but its file is 'demo'"),
    ],
)
def test_rules_of_a_malformed_file_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "demo.toml").write_text(text)
    with pytest.raises(RecipeError) as caught:
        rules_of([tmp_path], "demo")
    assert said in str(caught.value)


def test_rules_of_locales_need_the_word_locale_once(tmp_path: Path) -> None:
    row = ROW.replace("rules", "locales") + 'missed = "an error of it"\n'
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "demo.toml").write_text(HEAD + row)
    with pytest.raises(RecipeError, match=r"must have \{locale\} once"):
        rules_of([tmp_path], "demo")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_rules_have_sizes_and_tests(name: str) -> None:
    rules = rules_of([RECIPES], name)
    assert rules is not None
    assert rules.rows(), "rules without a row"
    unknown = [] if rules.draft else [row.name for row in rules.rows() if row.saved <= 0]
    assert unknown == [], f"next: ci/rules --sizes {name}"
    path = RECIPES / "rules" / "tests" / f"{name.replace('-', '_')}.py"
    functions = {one.name for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef)}
    named = {row.test for row in rules.rows()} | {row.test for row in rules.keep}
    assert named == {one for one in functions if not one.startswith("_")}


@pytest.mark.parametrize(
    ("name", "glob", "locale"),
    [
        ("a/locale-data/de_AT.dat", "a/locale-data/{locale}.dat", "de_AT"),
        ("a/contrib/admin/locale/zh_Hans/LC_MESSAGES/x.mo", "*/locale/{locale}/LC_MESSAGES/*.mo", "zh_Hans"),
        ("a/locale-data/root.dat", "a/locale-data/{locale}.dat", ""),
        ("a/lang/punctuation.py", "a/lang/{locale}/*", ""),
    ],
)
def test_locale_in_a_name(name: str, glob: str, locale: str) -> None:
    assert locale_in(name, glob) == locale


def test_read_locales_normalizes_and_refuses() -> None:
    assert read_locales("de, en-GB,de") == ("de", "en_gb")
    with pytest.raises(ValueError, match="'deutsch!' is no locale"):
        read_locales("de,deutsch!")
