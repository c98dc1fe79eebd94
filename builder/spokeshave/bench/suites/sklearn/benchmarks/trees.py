"""Trees, forests and boosting."""

from __future__ import annotations

from typing import ClassVar

from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from .samples import labelled, targets


class Fit:
    def setup(self) -> None:
        self.x, self.y = labelled(3_000)
        self.u, self.v = targets(3_000)

    def time_decision_tree(self) -> None:
        DecisionTreeClassifier(random_state=0).fit(self.x, self.y)

    def time_regression_tree(self) -> None:
        DecisionTreeRegressor(max_depth=8, random_state=0).fit(self.u, self.v)

    def time_random_forest(self) -> None:
        RandomForestClassifier(8, random_state=0).fit(self.x, self.y)

    def time_random_forest_of_numbers(self) -> None:
        RandomForestRegressor(4, max_features=0.5, random_state=0).fit(self.u, self.v)

    def time_extra_trees(self) -> None:
        ExtraTreesRegressor(6, random_state=0).fit(self.u, self.v)

    def time_gradient_boosting(self) -> None:
        GradientBoostingClassifier(n_estimators=8, random_state=0).fit(self.x, self.y)

    def time_hist_gradient_boosting(self) -> None:
        HistGradientBoostingClassifier(max_iter=10, early_stopping=False, random_state=0).fit(self.x, self.y)

    def time_hist_gradient_boosting_of_numbers(self) -> None:
        HistGradientBoostingRegressor(max_iter=10, early_stopping=False, random_state=0).fit(self.u, self.v)

    def time_isolation_forest(self) -> None:
        IsolationForest(n_estimators=20, random_state=0).fit(self.x)

    def time_ada_boost(self) -> None:
        AdaBoostClassifier(n_estimators=8, random_state=0).fit(self.x, self.y)

    def time_bagging(self) -> None:
        BaggingClassifier(n_estimators=5, random_state=0).fit(self.x, self.y)


class Predict:
    params: ClassVar[list[list[str]]] = [["tree", "forest", "boosting", "histograms", "isolation"]]
    param_names: ClassVar[list[str]] = ["model"]

    def setup(self, model: str) -> None:
        x, y = labelled(2_000)
        self.x, _ = labelled(10_000)
        made = {
            "tree": DecisionTreeClassifier(random_state=0),
            "forest": RandomForestClassifier(10, random_state=0),
            "boosting": GradientBoostingClassifier(n_estimators=15, random_state=0),
            "histograms": HistGradientBoostingClassifier(max_iter=15, random_state=0),
            "isolation": IsolationForest(n_estimators=15, random_state=0),
        }
        self.fitted = made[model].fit(x, y)

    def time_predict(self, model: str) -> None:
        self.fitted.predict(self.x)
