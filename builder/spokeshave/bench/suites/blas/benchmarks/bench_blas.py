"""Square matrices, from some that are quicker to multiply than to call for, to some that no cache holds."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

try:
    from scipy.linalg import blas, lapack
except ImportError:  # only numpy is installed
    blas = lapack = None


class Square:
    """Each benchmark is named after the one routine that takes its time."""

    params: ClassVar[list[list[int]]] = [[4, 16, 64, 256, 1000, 2000]]
    param_names: ClassVar[list[str]] = ["n"]

    def setup(self, n: int) -> None:
        draw = np.random.default_rng(1)
        self.a = draw.standard_normal((n, n))
        self.b = draw.standard_normal((n, n))
        self.single_a, self.single_b = self.a.astype(np.float32), self.b.astype(np.float32)
        self.complex_a, self.complex_b = self.a + 1j * self.b, self.b - 1j * self.a
        self.symmetric = self.a + self.a.T

    def time_dgemm(self, n: int) -> None:
        self.a @ self.b

    def time_sgemm(self, n: int) -> None:
        self.single_a @ self.single_b

    def time_zgemm(self, n: int) -> None:
        self.complex_a @ self.complex_b

    def time_dgesv(self, n: int) -> None:
        np.linalg.solve(self.a, self.b[:, 0])

    def time_dgesdd(self, n: int) -> None:
        np.linalg.svd(self.a)

    def time_dsyevd(self, n: int) -> None:
        np.linalg.eigh(self.symmetric)


if blas is not None:

    class SquareThroughScipy:
        """The same routines with 32-bit integers, as scipy calls them; numpy has 64-bit integers."""

        params = Square.params
        param_names = Square.param_names

        def setup(self, n: int) -> None:
            draw = np.random.default_rng(1)
            self.a = np.asfortranarray(draw.standard_normal((n, n)))
            self.b = np.asfortranarray(draw.standard_normal((n, n)))
            self.single_a, self.single_b = self.a.astype(np.float32), self.b.astype(np.float32)
            self.complex_a, self.complex_b = self.a + 1j * self.b, self.b - 1j * self.a
            self.symmetric = self.a + self.a.T

        def time_dgemm(self, n: int) -> None:
            blas.dgemm(1.0, self.a, self.b)

        def time_sgemm(self, n: int) -> None:
            blas.sgemm(1.0, self.single_a, self.single_b)

        def time_zgemm(self, n: int) -> None:
            blas.zgemm(1.0, self.complex_a, self.complex_b)

        def time_dgesv(self, n: int) -> None:
            lapack.dgesv(self.a, self.b[:, 0])

        def time_dgesdd(self, n: int) -> None:
            lapack.dgesdd(self.a)

        def time_dsyevd(self, n: int) -> None:
            lapack.dsyevd(self.symmetric)
