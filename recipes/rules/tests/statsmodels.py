"""Models of data that is made here, and the example data."""

from __future__ import annotations


def datasets() -> object:
    """All example data by digest, and a model of one of them."""
    import hashlib

    import statsmodels.api as sm

    found = {}
    for name in sorted(dir(sm.datasets)):
        load = getattr(getattr(sm.datasets, name), "load_pandas", None)
        if load is not None:
            data = load().data
            text = data.to_csv()
            found[name] = [data.shape, hashlib.sha256(text.encode()).hexdigest()[:12]]
    return [found, models()]


def models() -> object:
    """Parameters of linear, generalized, robust, discrete and time series models."""
    import numpy as np
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf
    from statsmodels.stats.stattools import durbin_watson
    from statsmodels.tsa.arima.model import ARIMA

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=80), "z": rng.normal(size=80)})
    frame["y"] = 1 + 2 * frame.x - frame.z + rng.normal(size=80)
    frame["count"] = rng.poisson(np.exp(0.3 * frame.x))
    linear = smf.ols("y ~ x + z", frame).fit()
    others = [
        smf.glm("count ~ x", frame, family=sm.families.Poisson()).fit(),
        smf.rlm("y ~ x", frame).fit(),
        smf.logit("b ~ x", frame.assign(b=(frame.y > 0).astype(int))).fit(disp=0),
        ARIMA(frame.y.cumsum(), order=(1, 1, 0)).fit(),
    ]
    lines = [
        line for line in str(linear.summary()).splitlines() if "Date:" not in line and "Time:" not in line
    ]
    values = [[round(float(value), 6) for value in one.params] for one in (linear, *others)]
    smooth = sm.nonparametric.lowess(frame.y, frame.x)[:3].round(6).tolist()
    return [lines, values, round(float(durbin_watson(linear.resid)), 6), smooth]
