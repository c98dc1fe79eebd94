"""Fewer dimensions."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import (
    NMF,
    PCA,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    KernelPCA,
    LatentDirichletAllocation,
    TruncatedSVD,
)
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.random_projection import SparseRandomProjection

from .samples import labelled, rng, targets


class Components:
    params: ClassVar[list[list[str]]] = [["covariance_eigh", "full", "randomized", "arpack"]]
    param_names: ClassVar[list[str]] = ["solver"]

    def setup(self, solver: str) -> None:
        self.x = rng().normal(size=(1_500, 60))

    def time_pca(self, solver: str) -> None:
        PCA(10, svd_solver=solver, random_state=0).fit_transform(self.x)


class Factors:
    def setup(self) -> None:
        draw = rng()
        self.x = draw.normal(size=(1_000, 30))
        self.counts = sparse.csr_matrix(draw.poisson(0.1, size=(600, 400)).astype(np.float64))
        self.positive = np.abs(draw.normal(size=(400, 60)))
        self.labelled = labelled(3_000, 30)
        self.targets = targets(2_000, 30)

    def time_nmf(self) -> None:
        NMF(6, init="nndsvd", max_iter=40, tol=0.0).fit(self.positive)

    def time_nmf_by_multiplication(self) -> None:
        NMF(6, init="random", solver="mu", max_iter=40, tol=0.0, random_state=0).fit(self.positive)

    def time_topics(self) -> None:
        LatentDirichletAllocation(5, max_iter=1, random_state=0).fit(self.counts[:150])

    def time_truncated_svd(self) -> None:
        TruncatedSVD(10, random_state=0).fit(self.counts)

    def time_kernel_pca(self) -> None:
        KernelPCA(5, kernel="rbf", random_state=0).fit(self.x[:300])

    def time_incremental_pca(self) -> None:
        IncrementalPCA(8, batch_size=250).fit(self.x)

    def time_ica(self) -> None:
        FastICA(6, max_iter=30, tol=0.1, random_state=0).fit(self.x)

    def time_factor_analysis(self) -> None:
        FactorAnalysis(5, max_iter=20).fit(self.x)

    def time_random_projection(self) -> None:
        SparseRandomProjection(10, random_state=0).fit_transform(self.x)

    def time_discriminant(self) -> None:
        LinearDiscriminantAnalysis().fit(*self.labelled)

    def time_partial_least_squares(self) -> None:
        PLSRegression(4).fit(*self.targets)
