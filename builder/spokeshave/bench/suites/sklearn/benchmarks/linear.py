"""Linear models, support vectors, and small networks."""

from __future__ import annotations

from typing import ClassVar

from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    LassoCV,
    LassoLars,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
    SGDRegressor,
    lasso_path,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, SVR, LinearSVC

from .samples import labelled, targets


class Classify:
    params: ClassVar[list[list[str]]] = [["lbfgs", "liblinear", "newton-cholesky", "saga"]]
    param_names: ClassVar[list[str]] = ["solver"]

    def setup(self, solver: str) -> None:
        self.x, self.y = labelled(4_000, 30)

    def time_logistic_regression(self, solver: str) -> None:
        LogisticRegression(solver=solver, tol=1e-3, random_state=0).fit(self.x, self.y)


class Vectors:
    params: ClassVar[list[list[str]]] = [["linear", "rbf", "poly"]]
    param_names: ClassVar[list[str]] = ["kernel"]

    def setup(self, kernel: str) -> None:
        self.x, self.y = labelled(700, 10)
        self.fitted = SVC(kernel=kernel).fit(self.x, self.y)

    def time_fit(self, kernel: str) -> None:
        SVC(kernel=kernel).fit(self.x, self.y)

    def time_predict(self, kernel: str) -> None:
        self.fitted.predict(self.x)


class Fit:
    def setup(self) -> None:
        self.x, self.y = labelled(4_000, 30)
        self.u, self.v = targets(3_000, 40)
        self.counts = self.v.clip(0, 20).round()

    def time_linear_svc(self) -> None:
        LinearSVC(tol=1e-3, random_state=0).fit(self.x, self.y)

    def time_svr(self) -> None:
        SVR().fit(self.u[:500], self.v[:500])

    def time_sgd_classifier(self) -> None:
        SGDClassifier(max_iter=10, tol=None, random_state=0).fit(self.x, self.y)

    def time_sgd_regressor(self) -> None:
        SGDRegressor(max_iter=10, tol=None, random_state=0).fit(self.u, self.v)

    def time_linear_regression(self) -> None:
        LinearRegression().fit(self.u, self.v)

    def time_ridge(self) -> None:
        Ridge().fit(self.u, self.v)

    def time_bayesian_ridge(self) -> None:
        BayesianRidge().fit(self.u, self.v)

    def time_elastic_net(self) -> None:
        ElasticNet(alpha=0.01).fit(self.u, self.v)

    def time_lasso_path(self) -> None:
        lasso_path(self.u, self.v, alphas=50)

    def time_lasso_with_validation(self) -> None:
        LassoCV(alphas=20, cv=3).fit(self.u, self.v)

    def time_lasso_lars(self) -> None:
        LassoLars(alpha=0.01).fit(self.u, self.v)

    def time_huber(self) -> None:
        HuberRegressor(max_iter=200).fit(self.u, self.v)

    def time_poisson(self) -> None:
        PoissonRegressor(max_iter=100).fit(self.u / 10, self.counts)

    def time_isotonic(self) -> None:
        IsotonicRegression().fit(self.u[:, 1], self.v)

    def time_kernel_ridge(self) -> None:
        KernelRidge(kernel="rbf").fit(self.u[:500], self.v[:500])

    def time_gaussian_process(self) -> None:
        GaussianProcessRegressor(optimizer=None).fit(self.u[:400], self.v[:400])

    def time_naive_bayes(self) -> None:
        GaussianNB().fit(self.x, self.y).predict(self.x)

    def time_small_network(self) -> None:
        MLPClassifier((16,), max_iter=3, tol=0.0, random_state=0, n_iter_no_change=9).fit(
            self.x[:1_000], self.y[:1_000]
        )
