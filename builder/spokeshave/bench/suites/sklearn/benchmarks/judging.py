"""Scores, splits and searches."""

from __future__ import annotations

from typing import ClassVar

from sklearn import metrics
from sklearn.compose import make_column_transformer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from .samples import clouds, labelled, rng

_OF_SCORES = ["roc_auc_score", "average_precision_score", "log_loss", "brier_score_loss", "roc_curve"]
_OF_LABELS = ["accuracy_score", "f1_score", "confusion_matrix", "matthews_corrcoef", "classification_report"]
_OF_NUMBERS = ["r2_score", "mean_absolute_error", "median_absolute_error"]


class Score:
    params: ClassVar[list[list[str]]] = [[*_OF_SCORES, *_OF_LABELS, *_OF_NUMBERS]]
    param_names: ClassVar[list[str]] = ["metric"]

    def setup(self, metric: str) -> None:
        draw = rng()
        truth = draw.integers(0, 2, 20_000)
        scores = (truth + draw.random(20_000) * 1.5) / 2.5
        self.metric = getattr(metrics, metric)
        self.truth, self.told = truth, (scores > 0.5).astype(int) if metric in _OF_LABELS else scores

    def time_metric(self, metric: str) -> None:
        self.metric(self.truth, self.told)


class Clusters:
    params: ClassVar[list[list[str]]] = [
        ["silhouette_score", "davies_bouldin_score", "calinski_harabasz_score"]
    ]
    param_names: ClassVar[list[str]] = ["metric"]

    def setup(self, metric: str) -> None:
        self.metric = getattr(metrics, metric)
        self.x, self.labels = clouds(1_500), rng().integers(0, 8, 1_500)

    def time_metric(self, metric: str) -> None:
        self.metric(self.x, self.labels)


class Select:
    def setup(self) -> None:
        self.x, self.y = labelled(3_000)
        self.model = make_pipeline(StandardScaler(), LogisticRegression())
        self.mixed = make_column_transformer((StandardScaler(), [0, 1, 2]), (MinMaxScaler(), [3, 4, 5]))
        self.fitted = Ridge().fit(self.x[:, :5], self.y)

    def time_split(self) -> None:
        train_test_split(self.x, self.y, stratify=self.y, random_state=0)

    def time_folds(self) -> None:
        list(StratifiedKFold(10, shuffle=True, random_state=0).split(self.x, self.y))

    def time_cross_validation(self) -> None:
        cross_val_score(self.model, self.x, self.y, cv=4)

    def time_grid_search(self) -> None:
        GridSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, cv=3).fit(self.x, self.y)

    def time_column_transformer(self) -> None:
        self.mixed.fit_transform(self.x)

    def time_permutation_importance(self) -> None:
        permutation_importance(self.fitted, self.x[:, :5], self.y, n_repeats=3, random_state=0)
