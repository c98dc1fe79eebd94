"""Limits: what a text names, what exceeds it, and which remedies bring it below."""

from __future__ import annotations

import pytest

from spokeshave.limits import NAMED, Bound, Excess, Limit, Part, Remedy, check, limit_error, read_limit

PARTS = [Part(name="small", size=30), Part(name="large", size=70)]


def excess(size: int, bound: int, *remedies: Remedy) -> Excess | None:
    limit = read_limit(f"{bound}B")
    return check(limit, limit.bounds[0], title="app", size=size, parts=PARTS, remedies=remedies)


def found(size: int, bound: int, *remedies: Remedy) -> Excess:
    result = excess(size, bound, *remedies)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("250MiB", 262_144_000),
        ("250 MB", 250_000_000),
        ("1.5GiB", 1_610_612_736),
        ("262144000", 262_144_000),
        ("10kb", 10_000),
    ],
)
def test_read_limit_of_a_size_has_its_bytes(text: str, size: int) -> None:
    assert read_limit(text).bounds == (Bound(quantity="unpacked", size=size),)


def test_read_limit_lambda_has_both_bounds() -> None:
    assert [(one.quantity, one.size) for one in read_limit("lambda").bounds] == [
        ("unpacked", 250 * 2**20),
        ("zipped", 50 * 2**20),
    ]
    assert read_limit("Vercel") is NAMED["vercel"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [("lambada", "did you mean 'lambda'"), ("12 pints", "known: "), ("0MB", "size"), ("", "size")],
)
def test_read_limit_of_anything_else_is_refused(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        read_limit(text)


def test_check_at_the_bound_finds_nothing() -> None:
    assert excess(100, 100) is None
    assert found(101, 100).over == 1


def test_check_needs_harmless_remedies_first_and_no_more_than_enough() -> None:
    feature = Remedy(action="without a feature", saved=90, harmless=False)
    lever, other = Remedy(action="lever a", saved=15), Remedy(action="lever b", saved=25)
    assert found(100, 70, feature, lever, other).needed == 2
    assert [one.action for one in found(100, 70, feature, lever, other).remedies][:2] == [
        "lever b",
        "lever a",
    ]
    assert found(100, 50, feature, lever, other).needed == 3
    assert found(100, 75, lever, other).needed == 1
    assert found(200, 50, feature, lever, other).needed is None


def test_lines_name_the_excess_the_largest_part_and_the_needed_remedies() -> None:
    lines = found(
        300_000_000,
        262_144_000,
        Remedy(action="lever a", saved=40_000_000),
        Remedy(action="lever b", saved=1_000_000),
    ).lines()
    text = "\n".join(lines)
    assert lines[0] == "app: 300.00 MB unpacked, 37.86 MB above the limit 262144000B (262,144,000 bytes)"
    assert text.index("large") < text.index("small")
    assert "40.00  lever a, then 260.00 MB" in text
    assert "lever b" not in text


def test_lines_without_enough_remedies_say_how_much_is_missing() -> None:
    text = "\n".join(found(3_000_000, 1_000_000, Remedy(action="lever a", saved=500_000)).lines())
    assert "still 1.50 MB above" in text
    assert "no lever" in "\n".join(found(3_000_000, 1_000_000).lines())


def test_limit_error_exists_only_for_an_excess() -> None:
    assert limit_error([]) is None
    fault = limit_error([found(100, 50)])
    assert fault is not None
    assert fault.exit_code == 33
    assert "app: " in fault.what
    assert fault.next_step


def test_lines_name_the_upload_that_has_no_zip_limit() -> None:
    limit = read_limit("lambda")
    result = check(limit, limit.bounds[1], title="a.zip", size=60_000_000, parts=[], remedies=[])
    assert result is not None
    assert "--limit lambda-s3" in result.lines()[1]


def test_named_limits_are_of_a_form_that_is_known() -> None:
    limits: list[Limit] = list(NAMED.values())
    assert {one.form for one in limits} == {"archive", "image"}
    assert all(NAMED[one.name] is one for one in limits)
