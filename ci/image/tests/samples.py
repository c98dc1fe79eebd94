"""Texts written for these tests: two on the sea, two on bread, two on stars."""

from __future__ import annotations

import shutil

import pytest

TEXTS = {
    "Harbour": "The harbour slept under grey waves. A sailor mended his sails while the tide pulled at the "
    "boats. When the wind rose, every boat in the harbour leaned on its rope, and the sailor sang of waves.",
    "Lighthouse": "Waves broke below the lighthouse all night. The keeper watched each boat that fought the "
    "wind and the tide. A sailor who saw the light turned his sails towards the harbour.",
    "Bakery": "The baker kneads dough before dawn. Flour and yeast and warm water become bread in an oven. "
    "Bread that rests before the oven has a thin crust, and the baker sells every loaf of bread.",
    "Sourdough": "Sourdough is flour and water that wild yeast has found. Feed the dough daily with flour. "
    "A hot oven gives the loaf its crust, and no bread keeps longer than a loaf of sourdough.",
    "Observatory": "The telescope follows a star across the sky. Astronomers measure the light of each star "
    "and of the planets around it. A comet crosses the sky, and the telescope turns to the comet.",
    "Orbits": "A planet moves around its star in an ellipse. The comet has a longer orbit than any planet. "
    "Astronomers compute the orbit of a comet from three places in the sky and a telescope.",
}
THEME = {"Harbour": 0, "Lighthouse": 0, "Bakery": 1, "Sourdough": 1, "Observatory": 2, "Orbits": 2}

needs_pandoc = pytest.mark.skipif(
    shutil.which("pandoc") is None, reason="pandoc is not installed: apt-get install pandoc"
)
