"""Errors that a user can meet: each class has its exit code, each message the fault, its file and the remedy.

Anything that is not a `SpokeshaveError` is a defect of ours and keeps its traceback.
"""

from pathlib import Path


class SpokeshaveError(Exception):
    """Base of all expected failures.

    `what` states the fault with its file and key, `next_step` the remedy; `log` names the file with the
    whole output of the failed step.
    """

    exit_code = 1

    def __init__(self, what: str, *, next_step: str = "", log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.log = log


class UsageFault(SpokeshaveError):
    """Well-formed arguments that exclude one another, or ask for nothing."""

    exit_code = 2


class RecipeError(SpokeshaveError):
    """A recipe, profile, package or component that does not exist or is malformed."""

    exit_code = 3


class RemovalRefused(SpokeshaveError):
    """A profile removes a module that kept modules need."""

    exit_code = 4


class SettingsError(SpokeshaveError):
    """A project's `spokeshave.toml` or `[tool.spokeshave]` is not valid."""

    exit_code = 5


class HashMismatch(SpokeshaveError):
    """The sha256 of a fetched or stored file differs from the pinned one."""

    exit_code = 10


class UnsafeArchive(SpokeshaveError):
    """An archive has a member that must not be unpacked."""

    exit_code = 11


class NetworkError(SpokeshaveError):
    """An index cannot be reached, or does not have the file."""

    exit_code = 12


class PatchError(SpokeshaveError):
    """A recipe's patch does not apply to its source."""

    exit_code = 13


class EngineMissing(SpokeshaveError):
    """The requested engine, or a tool that it needs, is not on this machine."""

    exit_code = 20


class EngineDenied(SpokeshaveError):
    """Docker runs, but this user has no right to use it."""

    exit_code = 21


class ImageError(SpokeshaveError):
    """A build or run image cannot be pulled or made."""

    exit_code = 22


class BuildError(SpokeshaveError):
    """The compile, the trimming or the repair failed.

    `unmatched` are the patterns of the plan that had matched nothing at that time.
    """

    exit_code = 30
    unmatched: tuple[str, ...] = ()


class BudgetError(SpokeshaveError):
    """A wheel is larger than its profile allows."""

    exit_code = 32


class LimitError(SpokeshaveError):
    """An environment, an archive or an image is larger than `--limit` allows."""

    exit_code = 33


class VerifyError(SpokeshaveError):
    """A wheel fails a check or a test that the PyPI wheel passes."""

    exit_code = 40


class WheelError(SpokeshaveError):
    """A file is not a well-formed wheel, or its record is missing or of another wheel."""

    exit_code = 41


class BenchError(SpokeshaveError):
    """A benchmark comparison cannot start: no suite, no asv_runner, two different Pythons."""

    exit_code = 42


class PublishError(SpokeshaveError):
    """An index folder or a server does not accept a wheel."""

    exit_code = 43


class TraceError(SpokeshaveError):
    """A command cannot be traced, or a record does not fit."""

    exit_code = 44


class NothingRecorded(TraceError):
    """A traced command ran without the recorder; if the command failed, its exit code is kept."""

    def __init__(self, what: str, *, next_step: str, code: int) -> None:
        super().__init__(what, next_step=next_step)
        self.exit_code = code or TraceError.exit_code


class TrainError(SpokeshaveError):
    """A PGO profile could not be collected."""

    exit_code = 45


class StoreError(SpokeshaveError):
    """The store cannot be read or written, for example because the disk is full."""

    exit_code = 50


class Interrupted(SpokeshaveError):
    """The user stopped the run."""

    exit_code = 130
