"""Figures as JSON and as HTML, express, templates, and the errors of wrong properties."""

from __future__ import annotations


def figures() -> object:
    """JSON and HTML of figures with each way to include the script, properties, and errors."""
    return _figures((True, "cdn", "directory", False))


def figures_without_script() -> object:
    """The same, with pages that need no copy of plotly.js."""
    return _figures(("directory", False, "https://example.org/plotly.js"))


def _figures(scripts: tuple[bool | str, ...]) -> object:
    import hashlib

    import plotly.express as px
    import plotly.graph_objects as go
    import plotly.io as pio
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2)
    figure.add_trace(go.Scatter(x=[1, 2], y=[3, 4], name="a", marker={"color": "red"}), row=1, col=1)
    figure.add_trace(go.Heatmap(z=[[1, 2], [3, 4]], colorscale="Viridis"), row=1, col=2)
    figure.update_layout(title="t", template="plotly_dark", xaxis={"range": [0, 3]})
    html = [figure.to_html(include_plotlyjs=mode, div_id="x") for mode in scripts]
    errors = []
    for wrong in ({"mode": "wavy"}, {"marker": {"colour": "red"}}, {"opacity": 7}):
        try:
            go.Scatter(**wrong)
        except ValueError as fault:
            errors.append(str(fault))
    kinds = sorted(name for name in dir(go) if name[0].isupper() and name != "FigureWidget")
    traces = [getattr(go, name) for name in kinds if hasattr(getattr(go, name), "_valid_props")]
    properties = {one.__name__: sorted(one()._valid_props) for one in traces}
    express = px.scatter(x=[1, 2, 3], y=[2, 1, 4], color=["a", "b", "a"], trendline=None)
    return [
        figure.to_json(),
        [hashlib.sha256(one.encode()).hexdigest()[:12] for one in html],
        errors,
        properties,
        express.to_json(),
        sorted(pio.templates),
        pio.from_json(figure.to_json()).layout.title.text,
    ]
