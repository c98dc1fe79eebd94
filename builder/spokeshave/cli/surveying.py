"""`report FOLDER|IMAGE|ZIP`: what is large there, and whether it is below a limit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from spokeshave.cli.common import Globals
from spokeshave.context import Context
from spokeshave.errors import UsageFault
from spokeshave.limits import Excess, Limit, Remedy, limit_error, read_limit
from spokeshave.machine.listing import heading, say, show
from spokeshave.report.survey.estimate import Estimator, kept_estimate
from spokeshave.report.survey.model import Estimate, Package
from spokeshave.report.survey.remedies import find_excess, find_remedies, unpacked_sizes
from spokeshave.report.survey.subjects import read_subject
from spokeshave.report.survey.survey import Survey, make_survey
from spokeshave.report.survey.survey_tables import headline, tables


class LimitType(click.ParamType[Limit]):
    """A named limit, or a size with its unit."""

    name = "limit"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Limit:
        try:
            return read_limit(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


def is_subject(path: Path) -> bool:
    """Whether an argument of `report` is to be surveyed: anything but a wheel."""
    return path.suffix != ".whl"


def survey_all(
    options: Globals, paths: Sequence[Path], *, limit: Limit | None, top: int, as_json: bool
) -> None:
    """Surveys all paths, prints the surveys, and raises LimitError if one is above the limit."""
    context = options.context()
    surveys = [one for path in paths for one in _surveys(context, path)]
    remedies = [list(find_remedies(one, context.book, unpacked_sizes(one))) for one in surveys]
    found = [find_excess(one, limit, context.book) if limit else () for one in surveys]
    if as_json:
        rows = zip(surveys, remedies, found, strict=True)
        click.echo(json.dumps([_json(*row, limit) for row in rows], indent=1))
    else:
        for survey, actions in zip(surveys, remedies, strict=True):
            _show(options, survey, actions, top)
    if fault := limit_error([one for excesses in found for one in excesses]):
        raise fault
    if limit:
        context.reporter.say(f"below the limit {limit.name}")


def _surveys(context: Context, path: Path) -> list[Survey]:
    with context.store.scratch() as scratch:
        (scratch / "archive").mkdir()
        try:
            with context.reporter.stage(f"reading {path}"):
                subjects = read_subject(path, scratch / "archive")
            with context.reporter.stage(f"estimating what shrink saves of {path}"):
                estimator = _speaking(kept_estimate(context.store, context.book), context)
                return [make_survey(one, scratch, estimator) for one in subjects]
        except PermissionError as refusal:
            raise UsageFault(
                f"{refusal.filename} cannot be read: {refusal.strerror}",
                next_step="run the command as the owner of that file, or give yourself the right to read it",
            ) from refusal


def _speaking(estimator: Estimator, context: Context) -> Estimator:
    """The estimator, which names each package while it works."""

    def estimate(package: Package, hashes: Mapping[str, str], scratch: Path) -> Estimate:
        context.reporter.line(package.name)
        return estimator(package, hashes, scratch)

    return estimate


def _show(options: Globals, survey: Survey, remedies: Sequence[Remedy], top: int) -> None:
    first, *others = headline(survey)
    heading(options.stdout, first)
    for line in others:
        say(options.stdout, line)
    show(options.stdout, *tables(survey, remedies, top))


def _json(
    survey: Survey, remedies: Sequence[Remedy], excesses: Sequence[Excess], limit: Limit | None
) -> Mapping[str, object]:
    return {
        **survey.to_json(),
        "remedies_estimate": [asdict(one) for one in remedies],
        "limit": {"name": limit.name, "exceeded": [one.to_json() for one in excesses]} if limit else None,
    }
