"""Locale data as programs see it: formats, names, plurals."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime


def _facts(name: str) -> list[object]:
    from babel import Locale, dates, lists, numbers, units

    locale = Locale.parse(name)
    now = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
    return [
        locale.display_name,
        sorted(map(str, locale.territories.items())),
        sorted(map(str, locale.currencies.items())),
        [str(locale.plural_form(n)) for n in (0, 1, 2, 3, 5, 11, 21, 1.5)],
        [dates.format_datetime(now, one, locale=name) for one in ("short", "medium", "long", "full")],
        dates.format_timedelta(now - datetime(2026, 1, 1, tzinfo=UTC), locale=name),
        numbers.format_decimal(1234567.891, locale=name),
        numbers.format_currency(-1234.5, "EUR", locale=name),
        numbers.format_percent(0.256, locale=name),
        lists.format_list(["a", "b", "c"], locale=name),
        units.format_unit(12, "length-meter", locale=name),
        repr(sorted(locale.days["format"]["wide"].items())),
    ]


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


def all_locales() -> object:
    """Every value of every locale, and formats of each tenth, as digests."""
    from babel.localedata import load, locale_identifiers

    names = sorted(locale_identifiers())
    loaded = {name: _digest(sorted(map(str, load(name).items()))) for name in names}
    return [loaded, {name: _digest(_facts(name)) for name in names[::10]}]


def chosen_locales() -> object:
    """Formats of all locales of German and English, and plain errors for another language."""
    from babel import Locale, UnknownLocaleError, localedata

    names = sorted(n for n in localedata.locale_identifiers() if n.split("_")[0] in ("de", "en"))
    try:
        Locale.parse("xx_YY")
    except UnknownLocaleError as fault:
        return [{name: _digest(_facts(name)) for name in names}, names, str(fault)]
    return []
