"""Which files of a wheel belong to which locale, and which of the locales are kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from fnmatch import translate

from spokeshave.recipes.rule_schema import LOCALE, LocaleTable

_TAG = r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8})*"


def read_locales(text: str) -> tuple[str, ...]:
    """The locales of a list such as `de,en_GB`; raises ValueError for anything else."""
    names = [name.strip() for name in text.split(",")]
    if wrong := [name for name in names if not re.fullmatch(_TAG, name)]:
        raise ValueError(f"{wrong[0]!r} is no locale; give a list such as de,en,pt_BR")
    return tuple(dict.fromkeys(normal(name) for name in names))


def normal(locale: str) -> str:
    """A locale's name in lower case, with underscores."""
    return locale.replace("-", "_").lower()


def locale_in(name: str, glob: str) -> str:
    """The locale in a name that fits a pattern with `{locale}`; empty where it does not fit."""
    before, _, after = glob.partition(LOCALE)
    match = re.fullmatch(f"{_inner(before)}({_TAG}){_inner(after)}", name, re.DOTALL)
    return match[1] if match else ""


def _inner(glob: str) -> str:
    """The regular expression of a glob, without its end."""
    return translate(glob).removesuffix(r"\Z").removesuffix(r"\z")


def found_in(names: Iterable[str], globs: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each name that fits a pattern, with its locale."""
    for name in names:
        if locale := next((one for glob in globs if (one := locale_in(name, glob))), ""):
            yield name, locale


def is_kept(locale: str, row: LocaleTable, chosen: Iterable[str]) -> bool:
    """Whether a locale is kept: chosen, needed by one that is, or kept in any case.

    A language keeps all its regions and scripts (`de` also `de_AT`); `pt_BR` keeps itself and `pt`.
    """
    one = normal(locale)
    wanted = {normal(name) for name in chosen}
    wanted |= {normal(need) for name in tuple(wanted) for need in _needs(row, name)}
    always = {normal(name) for name in row.always}
    return one in always or any(starts_alike(one, name) for name in wanted)


def starts_alike(one: str, other: str) -> bool:
    """Whether one of two normal names is the other one, or a part of it from its beginning."""
    return f"{one}_".startswith(f"{other}_") or f"{other}_".startswith(f"{one}_")


def _needs(row: LocaleTable, name: str) -> Iterator[str]:
    for one, needs in row.needs.items():
        if normal(one) in (name, name.partition("_")[0]):
            yield from needs
