"""Texts to numbers, numbers to others, and gaps filled."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
    normalize,
)

from .samples import labelled, rng, texts


class Texts:
    params: ClassVar[list[list[str]]] = [["counts", "tfidf", "pairs", "characters", "hashes"]]
    param_names: ClassVar[list[str]] = ["vectorizer"]

    def setup(self, vectorizer: str) -> None:
        self.texts = texts()
        made = {
            "counts": CountVectorizer(),
            "tfidf": TfidfVectorizer(),
            "pairs": TfidfVectorizer(ngram_range=(1, 2), max_features=5_000),
            "characters": CountVectorizer(analyzer="char_wb", ngram_range=(3, 3)),
            "hashes": HashingVectorizer(n_features=4_096),
        }
        self.vectorizer = made[vectorizer]

    def time_fit_transform(self, vectorizer: str) -> None:
        self.vectorizer.fit_transform(self.texts)


class Scale:
    params: ClassVar[list[list[str]]] = [
        ["standard", "minmax", "robust", "quantile", "power", "bins", "spline"]
    ]
    param_names: ClassVar[list[str]] = ["scaler"]

    def setup(self, scaler: str) -> None:
        self.x = rng().gamma(2.0, size=(10_000, 10))
        made = {
            "standard": StandardScaler(),
            "minmax": MinMaxScaler(),
            "robust": RobustScaler(),
            "quantile": QuantileTransformer(n_quantiles=200, subsample=5_000, random_state=0),
            "power": PowerTransformer(),
            "bins": KBinsDiscretizer(8, quantile_method="averaged_inverted_cdf"),
            "spline": SplineTransformer(),
        }
        self.scaler = made[scaler]

    def time_fit_transform(self, scaler: str) -> None:
        self.scaler.fit_transform(self.x)


class Columns:
    def setup(self) -> None:
        draw = rng()
        self.x, self.y = labelled(5_000, 15)
        self.names = np.array([f"kind {at}" for at in range(60)], dtype=object)[
            draw.integers(0, 60, (20_000, 3))
        ]
        self.codes = draw.integers(0, 60, (20_000, 3))
        self.few = self.names[:5_000]
        self.holes = np.where(self.x > 1.0, np.nan, self.x)
        self.rows = [{"a": at % 7, "b": f"v{at % 30}", "c": 0.5 * at} for at in range(3_000)]

    def time_one_hot_of_texts(self) -> None:
        OneHotEncoder().fit_transform(self.names)

    def time_one_hot_of_numbers(self) -> None:
        OneHotEncoder().fit_transform(self.codes)

    def time_ordinal(self) -> None:
        OrdinalEncoder().fit_transform(self.names)

    def time_target_encoder(self) -> None:
        TargetEncoder(cv=StratifiedKFold(4)).fit_transform(self.few, self.y)

    def time_polynomials(self) -> None:
        PolynomialFeatures(2).fit_transform(self.x)

    def time_normalize(self) -> None:
        normalize(self.x)

    def time_impute_median(self) -> None:
        SimpleImputer(strategy="median").fit_transform(self.holes)

    def time_impute_from_neighbours(self) -> None:
        KNNImputer().fit_transform(self.holes[:400])

    def time_select_best(self) -> None:
        SelectKBest(k=5).fit_transform(self.x, self.y)

    def time_mutual_information(self) -> None:
        mutual_info_classif(self.x[:800, :5], self.y[:800], random_state=0)

    def time_tables_of_dicts(self) -> None:
        DictVectorizer().fit_transform(self.rows)
