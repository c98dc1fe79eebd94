"""Functions that are compiled: loops, threads, ufuncs, classes, typed containers, and errors of types."""

from __future__ import annotations


def kernels() -> object:
    """Results of compiled functions, their types, and the error of a wrong one."""
    import numba
    import numpy as np
    from numba import njit, prange, typed, vectorize

    @njit
    def norm(values: np.ndarray) -> float:
        total = 0.0
        for value in values:
            total += value * value
        return np.sqrt(total)

    @njit(parallel=True)
    def rows(matrix: np.ndarray) -> np.ndarray:
        sums = np.zeros(matrix.shape[0])
        for row in prange(matrix.shape[0]):
            sums[row] = matrix[row].sum()
        return sums

    @vectorize(["float64(float64, float64)"])
    def mixed(one: float, other: float) -> float:
        return one * 2 + other

    @njit
    def words(texts: typed.List) -> typed.Dict:
        counts = dict()
        for text in texts:
            counts[text] = counts[text] + 1 if text in counts else 1
        return counts

    @njit
    def wrong(text: str) -> str:
        return text.absent()

    try:
        wrong("a")
        fault = ""
    except numba.TypingError as one:
        fault = str(one).splitlines()[0]
    matrix = np.arange(12.0).reshape(3, 4)
    counts = words(typed.List(["a", "b", "a"]))
    return [
        norm(matrix.ravel()),
        rows(matrix).tolist(),
        mixed(matrix, 1.0).tolist(),
        sorted(counts.items()),
        [str(one) for one in norm.signatures],
        fault,
        numba.threading_layer(),
    ]
