"""Two images that were never built: 700 MB with PyPI wheels, 400 MB with ours."""

from __future__ import annotations

import pytest

from imagebench.layers import ImageSize, Layer
from imagebench.service import Counts, Start
from imagebench.tables import Comparison, Side

BASE = Layer(made_by="Imported from -", size=300_000_000)


def start(seconds: float, rss: int) -> Start:
    return Start(seconds=seconds, idle_rss=rss, idle_pss=rss - 1, worked_rss=2 * rss, worked_pss=2 * rss - 1)


def side(name: str, site: int, packages: dict[str, int], starts: tuple[Start, ...]) -> Side:
    layers = (BASE, Layer(made_by="COPY … in /srv/venv", size=site))
    weight = ImageSize(total=BASE.size + site, layers=layers)
    return Side(
        image=name,
        weight=weight,
        packages=packages,
        tests=Counts(passed=9, failed=0, skipped=0),
        starts=starts,
    )


@pytest.fixture
def found() -> Comparison:
    return Comparison(
        profile="app",
        ours=side(
            "a",
            100_000_000,
            {"numpy": 12_000_000, "slim-openblas": 10_000_000, "lxml": 5_000_000},
            (start(1.0, 100_000_000), start(3.0, 120_000_000), start(1.5, 110_000_000)),
        ),
        stock=side(
            "b", 400_000_000, {"numpy": 60_000_000, "lxml": 9_000_000}, (start(2.0, 200_000_000),) * 3
        ),
        base=ImageSize(total=BASE.size, layers=(BASE,)),
        pandoc=200_000_000,
        others=(60, 80),
    )
