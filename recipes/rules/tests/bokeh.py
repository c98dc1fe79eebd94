"""Documents as JSON and as HTML with the scripts in it."""

from __future__ import annotations


def documents() -> object:
    """HTML with inline scripts, JSON, components, and a page of a server."""
    import hashlib

    import bokeh
    from bokeh import models
    from bokeh.core.templates import FILE
    from bokeh.embed import components, file_html, json_item
    from bokeh.plotting import figure
    from bokeh.resources import CDN, INLINE, Resources

    plot = figure(title="t", width=200, x_axis_label="$$x^2$$")
    plot.line([1, 2, 3], [4, 5, 6], legend_label="a")
    table = models.DataTable(
        source=models.ColumnDataSource({"a": [1]}), columns=[models.TableColumn(field="a")]
    )
    scripts = {mode: Resources(mode=mode).js_files for mode in ("cdn", "server", "relative")}
    scripts["relative"] = [one.rpartition("/")[2] for one in scripts["relative"]]
    raw = [hashlib.sha256(one.encode()).hexdigest()[:12] for one in INLINE.js_raw]
    pages = [
        file_html(one, INLINE, "t", template=FILE)
        for one in (plot, table, models.Slider(start=0, end=1, value=0.5))
    ]
    version = bokeh.__version__.partition("+")[0]  # pages name the local version of ours too
    return [
        raw,
        scripts,
        [len(page.replace(bokeh.__version__, version)) for page in pages],
        sorted(json_item(plot)["doc"]),
        ["<script" in part for part in components(plot)],
        CDN.js_files,
        sorted(name for name in dir(models) if not name.startswith("_")),
    ]
