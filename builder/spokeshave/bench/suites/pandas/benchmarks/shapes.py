"""Long to wide and back."""

from __future__ import annotations

import pandas as pd

from .frames import keys, rng, table, values


class Reshape:
    def setup(self) -> None:
        self.long = table().assign(month=rng().integers(1, 13, 100_000))
        self.wide = (
            pd.DataFrame(rng().normal(size=(2_000, 30))).add_prefix("c").rename_axis("row").reset_index()
        )
        pairs = pd.MultiIndex.from_product([range(1_000), range(60)], names=["a", "b"])
        self.nested = pd.Series(values(60_000).to_numpy(), index=pairs)
        self.square = self.nested.unstack()
        self.labels = keys("str", 40)

    def time_pivot_table(self) -> None:
        self.long.pivot_table(index="name", columns="month", values="x", aggfunc="mean")

    def time_pivot(self) -> None:
        self.nested.rename("x").reset_index().pivot(index="a", columns="b", values="x")

    def time_melt(self) -> None:
        self.wide.melt(id_vars="row")

    def time_stack(self) -> None:
        self.square.stack()

    def time_unstack(self) -> None:
        self.nested.unstack()

    def time_crosstab(self) -> None:
        pd.crosstab(self.long["name"], self.long["month"])

    def time_get_dummies(self) -> None:
        pd.get_dummies(self.labels)

    def time_explode(self) -> None:
        pd.Series([[1, 2, 3]] * 20_000).explode()
