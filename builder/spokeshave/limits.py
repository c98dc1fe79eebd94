"""Size limits of platforms, and what is largest and can be removed where one is exceeded.

The named limits, each with the documentation that states it (read on 2026-11-30):

- `lambda`: a zip archive for AWS Lambda. 262,144,000 bytes unpacked (with all layers) and 52,428,800 bytes
  zipped: `CodeSizeUnzipped` and `CodeSizeZipped` in the output of `aws lambda get-account-settings` in the
  AWS CLI reference; the page "Lambda quotas" writes 250 MB and 50 MB. The second holds for direct uploads.
- `lambda-s3`: the same archive, uploaded through S3. The first of these limits alone holds (`AccountLimit` in
  the Lambda API reference).
- `lambda-image`: a container image for AWS Lambda. 10 GB uncompressed with all layers ("Lambda quotas").
- `vercel`: a Vercel Function in Python. 500 MB uncompressed (Vercel's guide to the error "exceeded the
  unzipped maximum size"; 250 MB for other languages).

Where a page writes MB or GB and defines neither, the smaller reading is used: 10^6 and 10^9 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from spokeshave.errors import LimitError
from spokeshave.nearest import did_you_mean

Quantity = Literal["unpacked", "zipped"]
Form = Literal["archive", "image", "any"]

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """At most so many bytes: of all files unpacked, or of the zip archive; `note` is a way around it."""

    quantity: Quantity
    size: int
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A limit by name; `form` is what it holds for."""

    name: str
    bounds: tuple[Bound, ...]
    form: Form = "any"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of the whole, such as a package, and its bytes."""

    name: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Remedy:
    """An action, and the bytes that it saves, estimated; `harmless` if it takes no feature away.

    The bytes of several remedies add up: none is counted in two of them.
    """

    action: str
    saved: int
    harmless: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Excess:
    """By how much a bound is exceeded: the largest parts first, and the remedies in the order to try them.

    `needed` is the number of remedies that bring the size below the bound; None if all together do not.
    """

    title: str
    limit: str
    bound: Bound
    size: int
    parts: tuple[Part, ...]
    remedies: tuple[Remedy, ...]
    needed: int | None

    @property
    def over(self) -> int:
        """The bytes above the bound."""
        return self.size - self.bound.size

    def to_json(self) -> Mapping[str, object]:
        """The row in a JSON report; sizes in bytes."""
        return {**asdict(self), "over": self.over}

    def lines(self) -> list[str]:
        """The fault, what is largest, and what would bring the size below the bound; sizes in MB (10^6)."""
        head = (
            f"{self.title}: {_mb(self.size)} MB {self.bound.quantity}, {_mb(self.over)} MB above the limit"
            f" {self.limit} ({self.bound.size:,} bytes)"
        )
        largest = [f"  {_mb(part.size):>8}  {part.name}" for part in self.parts[:_SHOWN]]
        note = [self.bound.note] if self.bound.note else []
        return [head, *note, "largest, MB:", *largest, *self._advice()]

    def _advice(self) -> list[str]:
        if not self.remedies:
            return ["no lever and no component makes it smaller"]
        left, found = self.size, []
        for remedy in self.remedies[: self.needed]:
            left -= remedy.saved
            found.append(f"  {_mb(remedy.saved):>8}  {remedy.action}, then {_mb(left)} MB")
        if self.needed is not None:
            return ["below the limit, estimated, MB saved:", *found]
        more = len(found) - _SHOWN
        rest = [f"            … and {more} more"] if more > 0 else []
        return [f"still {_mb(left - self.bound.size)} MB above, estimated, after:", *found[:_SHOWN], *rest]


NAMED: Mapping[str, Limit] = {
    limit.name: limit
    for limit in (
        Limit(
            name="lambda",
            form="archive",
            bounds=(
                Bound(quantity="unpacked", size=262_144_000),
                Bound(
                    quantity="zipped",
                    size=52_428_800,
                    note="uploads through S3 have no such limit: --limit lambda-s3",
                ),
            ),
        ),
        Limit(name="lambda-s3", form="archive", bounds=(Bound(quantity="unpacked", size=262_144_000),)),
        Limit(name="lambda-image", form="image", bounds=(Bound(quantity="unpacked", size=10_000_000_000),)),
        Limit(name="vercel", form="archive", bounds=(Bound(quantity="unpacked", size=500_000_000),)),
    )
}


def read_limit(text: str) -> Limit:
    """The limit that a text names, or one of a size such as `250MiB`, `1.5 GB` or `262144000` unpacked.

    MB are 10^6 bytes, MiB 2^20. Raises ValueError for anything else.
    """
    if named := NAMED.get(text.strip().lower()):
        return named
    found = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None or float(found[1]) * unit < 1:
        hint = did_you_mean(text, NAMED)
        raise ValueError(f"{text!r} is neither a size such as 250MiB nor a named limit; {hint}")
    size = int(float(found[1]) * unit)
    return Limit(name=text.strip(), bounds=(Bound(quantity="unpacked", size=size),))


def check(
    limit: Limit,
    bound: Bound,
    *,
    title: str,
    size: int,
    parts: Sequence[Part],
    remedies: Sequence[Remedy],
) -> Excess | None:
    """By how much `size` exceeds a bound of the limit; None if it does not.

    `title` names what has the size. All sizes are bytes of the bound's quantity. Remedies that take no
    feature away come first, each kind by the bytes that it saves.
    """
    if size <= bound.size:
        return None
    order = sorted(remedies, key=lambda one: (not one.harmless, -one.saved, one.action))
    return Excess(
        title=title,
        limit=limit.name,
        bound=bound,
        size=size,
        parts=tuple(sorted(parts, key=lambda one: (-one.size, one.name))),
        remedies=tuple(order),
        needed=_needed([one.saved for one in order], size - bound.size),
    )


def limit_error(found: Sequence[Excess]) -> LimitError | None:
    """The error of all exceeded bounds; None where there is none."""
    if not found:
        return None
    below = all(one.needed is not None for one in found)
    return LimitError(
        "\n".join(line for one in found for line in one.lines()),
        next_step="apply what the list names, or raise --limit"
        if below
        else "remove a package from the requirements, split them over several functions, or raise --limit",
    )


def _needed(saved: Sequence[int], over: int) -> int | None:
    for count, size in enumerate(saved, 1):
        over -= size
        if over <= 0:
            return count
    return None


def _mb(size: int) -> str:
    return f"{size / 1e6:,.2f}"
