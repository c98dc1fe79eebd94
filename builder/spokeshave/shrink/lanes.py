"""Jobs that wait for subprocesses, as many at a time as there are CPUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def side_by_side(cpus: int, jobs: Sequence[Callable[[], T]]) -> list[T]:
    """The results of the jobs in their order; the first error ends those that have not begun."""
    pool = ThreadPoolExecutor(max(1, cpus))
    try:
        return [future.result() for future in [pool.submit(job) for job in jobs]]
    finally:
        pool.shutdown(cancel_futures=True)
