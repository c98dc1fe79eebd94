"""Areas are as the sizes, nothing leaves its parent, nothing overlaps."""

from __future__ import annotations

import random

import pytest

from spokeshave.inside.sizes import FileSize, Sizes, by_kind
from spokeshave.report.html.drawing import NARROW, WIDE, Sheet, widths
from spokeshave.report.html.hierarchy import folder_of, stack_tree
from spokeshave.report.html.treemap import Node, Rect, Tile, layout, squarify

ROOM = Rect(x=10, y=20, width=600, height=400)


def tree(seed: int, depth: int = 3) -> Node:
    """A random tree; sizes span five orders of magnitude, some are nothing."""
    dice = random.Random(seed)

    def make(level: int) -> Node:
        if level == 0:
            size = dice.choice([0, 1, round(10 ** dice.uniform(0, 5))])
            return Node(name=f"f{dice.random()}", size=size)
        children = tuple(make(level - 1) for _ in range(dice.randint(1, 8)))
        return Node(name="d", size=sum(child.size for child in children), children=children)

    return make(depth)


def leaves(tiles: list[Tile]) -> list[Tile]:
    return [tile for tile in tiles if not tile.node.children]


@pytest.mark.parametrize("seed", range(8))
def test_areas_are_proportional(seed: int) -> None:
    root = tree(seed)
    tiles = leaves(list(layout(root, ROOM)))
    assert tiles
    for tile in tiles:
        assert tile.rect.area == pytest.approx(ROOM.area * tile.node.size / root.size, rel=1e-6)
    assert sum(tile.rect.area for tile in tiles) == pytest.approx(ROOM.area)


@pytest.mark.parametrize("seed", range(8))
def test_tiles_stay_inside_and_apart(seed: int) -> None:
    near = 1e-6
    tiles = [tile.rect for tile in leaves(list(layout(tree(seed), ROOM)))]
    for one in tiles:
        assert one.x >= ROOM.x - near
        assert one.y >= ROOM.y - near
        assert one.x + one.width <= ROOM.x + ROOM.width + near
        assert one.y + one.height <= ROOM.y + ROOM.height + near
    for at, one in enumerate(tiles):
        for other in tiles[at + 1 :]:
            across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert across <= near or down <= near


def test_even_sizes_make_nearly_square_tiles() -> None:
    for place in squarify([1.0] * 24, ROOM):
        assert 0.5 < place.width / place.height < 2
    assert squarify([], ROOM) == []


@pytest.mark.parametrize("sheet", [WIDE, NARROW])
def test_two_maps_have_one_scale(sheet: Sheet) -> None:
    left, right = widths([400, 100], sheet)
    assert (left / right) ** 2 == pytest.approx(4)
    assert left + (right + sheet.gap if sheet.side_by_side else 0) == pytest.approx(sheet.width)


def stack(*files: tuple[str, int]) -> Sizes:
    return Sizes(
        name="numpy-1.0-cp311-cp311-linux_x86_64.whl",
        wheel=1,
        unpacked=sum(size for _, size in files),
        bytecode=None,
        kinds=by_kind(dict(files)),
        files=tuple(FileSize(name=n, size=s, packed=1, bytecode=None) for n, s in files),
    )


def test_small_files_are_heaped_and_none_is_lost() -> None:
    wheel = stack(
        ("numpy/_core/umath.cpython-311-x86_64-linux-gnu.so", 5000),
        ("numpy/_core/a.py", 60),
        ("numpy/_core/b.py", 50),
        ("numpy/tiny/c.py", 7),
        ("numpy/__init__.py", 8),
        ("numpy.libs/libscipy_openblas-1.so", 9000),
    )
    root = stack_tree("stock", [wheel], smallest=100, blas="")
    assert root.size == wheel.unpacked
    found = {tile.node.path: tile.node for tile in leaves(list(layout(root, ROOM)))}
    assert {path: node.size for path, node in found.items()} == {
        "numpy/_core/umath.cpython-311-x86_64-linux-gnu.so": 5000,
        "numpy/_core: 2 smaller files": 110,
        "numpy, elsewhere: 2 smaller files": 15,
        "numpy.libs/libscipy_openblas-1.so": 9000,
    }
    assert [child.name for child in root.children] == ["numpy", "BLAS, Fortran"]


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("numpy/_core/a/b.py", "numpy/_core"),
        ("numpy/_core/a.py", "numpy/_core"),
        ("numpy/a.py", "numpy"),
        ("numpy-1.0.dist-info/METADATA", "dist-info"),
        ("scipy.libs/libx.so", "libs"),
        ("six.py", "six.py"),
    ],
)
def test_folders(file: str, folder: str) -> None:
    assert folder_of(file) == folder
