"""Figures in four formats, with mathematics, and what matplotlib logs while it draws them."""

from __future__ import annotations


def figures() -> object:
    """Digests of figures, the warnings logged, and the fonts that the families stand for."""
    import hashlib
    import io
    import logging

    import matplotlib as mpl

    mpl.use("agg")
    log = io.StringIO()
    logging.getLogger("matplotlib").addHandler(logging.StreamHandler(log))
    import numpy as np
    from matplotlib import font_manager, pyplot

    mpl.rcParams["svg.hashsalt"] = "x"
    found = []
    for fontset in ("dejavusans", "stix", "stixsans", "cm"):
        mpl.rcParams["mathtext.fontset"] = fontset
        figure, (left, right) = pyplot.subplots(1, 2)
        x = np.linspace(0, 6, 50)
        left.plot(x, np.sin(x), label=r"$\sin(x) + \frac{\alpha}{\sqrt{2\pi}} \int_0^\infty$")
        left.legend()
        right.set_title("Bold äöü", weight="bold", style="italic")
        right.imshow(np.arange(12).reshape(3, 4))
        right.set_xlabel("mono", family="monospace")
        for kind in ("png", "svg", "pdf", "ps"):
            data = io.BytesIO()
            dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
            figure.savefig(data, format=kind, metadata=dates.get(kind))
            lines = [row for row in data.getvalue().splitlines() if b"CreationDate" not in row]
            found.append(hashlib.sha256(b"\n".join(lines)).hexdigest()[:12])
        pyplot.close(figure)
    families = [font_manager.FontProperties(family=[one]) for one in ("sans-serif", "monospace", "cursive")]
    names = [font_manager.findfont(one).rpartition("/")[2] for one in families]
    return [found, sorted(set(log.getvalue().splitlines())), names]
