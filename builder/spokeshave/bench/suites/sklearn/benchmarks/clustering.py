"""Groups without labels."""

from __future__ import annotations

from typing import ClassVar

from sklearn.cluster import (
    DBSCAN,
    AgglomerativeClustering,
    Birch,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
    SpectralClustering,
)
from sklearn.mixture import GaussianMixture

from .samples import clouds


class Means:
    params: ClassVar[list[list[str]]] = [["lloyd", "elkan"], ["float64", "float32"]]
    param_names: ClassVar[list[str]] = ["algorithm", "dtype"]

    def setup(self, algorithm: str, dtype: str) -> None:
        self.x = clouds(5_000).astype(dtype)
        self.model = KMeans(8, algorithm=algorithm, n_init=1, max_iter=30, random_state=0)
        self.fitted = KMeans(8, algorithm=algorithm, n_init=1, max_iter=5, random_state=0).fit(self.x)

    def time_fit(self, algorithm: str, dtype: str) -> None:
        self.model.fit(self.x)

    def time_predict(self, algorithm: str, dtype: str) -> None:
        self.fitted.predict(self.x)


class Groups:
    def setup(self) -> None:
        self.x = clouds(3_000, 6)
        self.few = self.x[:600]

    def time_mini_batches(self) -> None:
        MiniBatchKMeans(8, batch_size=512, n_init=1, max_iter=20, random_state=0).fit(self.x)

    def time_dbscan(self) -> None:
        DBSCAN(eps=1.5, min_samples=5).fit(self.x)

    def time_agglomerative(self) -> None:
        AgglomerativeClustering(8).fit(self.few)

    def time_birch(self) -> None:
        Birch(n_clusters=8).fit(self.few)

    def time_mean_shift(self) -> None:
        MeanShift(bandwidth=3.0, bin_seeding=True).fit(self.few[:60])

    def time_spectral(self) -> None:
        SpectralClustering(4, gamma=0.05, random_state=0).fit(self.few[:300])


class Mixture:
    params: ClassVar[list[list[str]]] = [["full", "diag"]]
    param_names: ClassVar[list[str]] = ["covariance"]

    def setup(self, covariance: str) -> None:
        self.x = clouds(2_000, 6)

    def time_fit(self, covariance: str) -> None:
        GaussianMixture(4, covariance_type=covariance, max_iter=20, tol=0.0, random_state=0).fit(self.x)
