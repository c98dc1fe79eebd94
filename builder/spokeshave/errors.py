"""Errors that a user can meet: each class has its exit code, each message says what, where, what next.

Anything that is not a `SpokeshaveError` is a defect of ours and keeps its traceback.
"""

from pathlib import Path


class SpokeshaveError(Exception):
    """Base of all expected failures.

    `what` states the fault and where it sits, `next_step` what the user can do, and `log` names the
    file that holds the whole output of the failed step.
    """

    exit_code = 1

    def __init__(self, what: str, *, next_step: str = "", log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.log = log


class UsageFault(SpokeshaveError):
    """Arguments that are well formed and cannot be meant, found once all of them were read."""

    exit_code = 2


class RecipeError(SpokeshaveError):
    """A recipe, profile, package or component that does not exist or is not well formed."""

    exit_code = 3


class RemovalRefused(SpokeshaveError):
    """A profile that takes out what kept modules need."""

    exit_code = 4


class SettingsError(SpokeshaveError):
    """A project's `spokeshave.toml` or `[tool.spokeshave]` that is not valid."""

    exit_code = 5


class HashMismatch(SpokeshaveError):
    """A fetched or stored file whose sha256 is not the pinned one."""

    exit_code = 10


class UnsafeArchive(SpokeshaveError):
    """An archive with a member that must not be unpacked."""

    exit_code = 11


class NetworkError(SpokeshaveError):
    """An index that cannot be reached or does not have the file."""

    exit_code = 12


class PatchError(SpokeshaveError):
    """A recipe's patch that does not apply to its source."""

    exit_code = 13


class EngineMissing(SpokeshaveError):
    """The asked-for engine, or a tool that it needs, is not on this machine."""

    exit_code = 20


class EngineDenied(SpokeshaveError):
    """Docker is there, but this user may not talk to it."""

    exit_code = 21


class ImageError(SpokeshaveError):
    """A build or run image that cannot be pulled or made."""

    exit_code = 22


class BuildError(SpokeshaveError):
    """The compile, the trimming or the repair failed.

    `unmatched` are the patterns of the plan that had matched nothing by then.
    """

    exit_code = 30
    unmatched: tuple[str, ...] = ()


class BudgetError(SpokeshaveError):
    """A wheel that is larger than its profile allows."""

    exit_code = 32


class VerifyError(SpokeshaveError):
    """A wheel that does not do all that the stock wheel does."""

    exit_code = 40


class WheelError(SpokeshaveError):
    """A file that is not a well-formed wheel."""

    exit_code = 41


class BenchError(SpokeshaveError):
    """A comparison that cannot start: no suite, no asv_runner, two different Pythons."""

    exit_code = 42


class PublishError(SpokeshaveError):
    """An index folder or a server that does not take a wheel."""

    exit_code = 43


class TraceError(SpokeshaveError):
    """A command that cannot be traced, or a record that does not fit."""

    exit_code = 44


class NothingRecorded(TraceError):
    """A traced command that ran to its end without the recorder; its exit code is kept where it failed."""

    def __init__(self, what: str, *, next_step: str, code: int) -> None:
        super().__init__(what, next_step=next_step)
        self.exit_code = code or TraceError.exit_code


class TrainError(SpokeshaveError):
    """A training could not be made."""

    exit_code = 45


class StoreError(SpokeshaveError):
    """The store cannot be read or written, for example because the disk is full."""

    exit_code = 50


class Interrupted(SpokeshaveError):
    """The user stopped the run."""

    exit_code = 130
