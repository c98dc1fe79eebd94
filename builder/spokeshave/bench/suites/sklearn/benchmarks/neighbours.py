"""Who is near: trees, brute force, and what is built on them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.manifold import TSNE, Isomap
from sklearn.metrics.pairwise import (
    cosine_similarity,
    euclidean_distances,
    manhattan_distances,
    pairwise_distances,
    rbf_kernel,
)
from sklearn.neighbors import KernelDensity, KNeighborsClassifier, LocalOutlierFactor, NearestNeighbors

from .samples import clouds, labelled, rng


class Nearest:
    params: ClassVar[list[list[str]]] = [["kd_tree", "ball_tree", "brute"]]
    param_names: ClassVar[list[str]] = ["algorithm"]

    def setup(self, algorithm: str) -> None:
        self.x = clouds(4_000, 6)
        self.fitted = NearestNeighbors(n_neighbors=6, radius=1.0, algorithm=algorithm).fit(self.x)

    def time_fit(self, algorithm: str) -> None:
        NearestNeighbors(algorithm=algorithm).fit(self.x)

    def time_k_nearest(self, algorithm: str) -> None:
        self.fitted.kneighbors(self.x[:1_000])

    def time_within_radius(self, algorithm: str) -> None:
        self.fitted.radius_neighbors(self.x[:500])


class BuiltOnThem:
    def setup(self) -> None:
        self.x, self.y = labelled(3_000, 8)
        self.classifier = KNeighborsClassifier(7).fit(self.x, self.y)
        self.density = KernelDensity(bandwidth=0.5).fit(self.x[:1_000])

    def time_classify(self) -> None:
        self.classifier.predict(self.x[:500])

    def time_outliers(self) -> None:
        LocalOutlierFactor().fit_predict(self.x)

    def time_density(self) -> None:
        self.density.score_samples(self.x[:200])

    def time_isomap(self) -> None:
        Isomap().fit(self.x[:300])

    def time_tsne(self) -> None:
        TSNE(max_iter=250, init="random", perplexity=15, random_state=0).fit_transform(self.x[:150])


class Distances:
    params: ClassVar[list[list[str]]] = [["float64", "float32"]]
    param_names: ClassVar[list[str]] = ["dtype"]

    def setup(self, dtype: str) -> None:
        self.x = rng().normal(size=(800, 40)).astype(dtype)
        self.holes = np.where(self.x > 1.5, np.nan, self.x)[:300]

    def time_euclidean(self, dtype: str) -> None:
        euclidean_distances(self.x)

    def time_manhattan(self, dtype: str) -> None:
        manhattan_distances(self.x[:400])

    def time_cosine(self, dtype: str) -> None:
        cosine_similarity(self.x)

    def time_rbf(self, dtype: str) -> None:
        rbf_kernel(self.x)

    def time_around_holes(self, dtype: str) -> None:
        pairwise_distances(self.holes, metric="nan_euclidean", ensure_all_finite="allow-nan")
