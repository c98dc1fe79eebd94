"""Square matrices of doubles, from ones that fit a cache to ones that keep several threads busy."""

from __future__ import annotations

from typing import ClassVar

import numpy as np


class Square:
    """Each benchmark is named after the one routine that takes its time."""

    params: ClassVar[list[list[int]]] = [[50, 200, 800]]
    param_names: ClassVar[list[str]] = ["n"]

    def setup(self, n: int) -> None:
        draw = np.random.default_rng(1)
        self.a = draw.standard_normal((n, n))
        self.b = draw.standard_normal((n, n))

    def time_dgemm(self, n: int) -> None:
        self.a @ self.b

    def time_dgesv(self, n: int) -> None:
        np.linalg.solve(self.a, self.b[:, 0])

    def time_dgesdd(self, n: int) -> None:
        np.linalg.svd(self.a)
