"""What of a build is in the store, and about how long the rest takes.

An estimate is the longest of the former compiles of that recipe on this machine: later ones are shorter where
ccache has their objects. Without one it is read from `times.toml` next to the recipe. Both are scaled to the
CPUs of this run. No key holds either of them.
"""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from spokeshave.context import Context
from spokeshave.errors import RecipeError
from spokeshave.inside.model import BuildPlan, digest_of
from spokeshave.recipes.build_schema import Strict
from spokeshave.recipes.reading import TIMES

Step = Literal["compile", "finish"]
State = Literal["wheel", "wheel alone", "compile", "nothing"]  # alone: without the compile, which others link
STEPS: tuple[Step, ...] = ("compile", "finish")
_LEFT: dict[State, tuple[Step, ...]] = {
    "wheel": (),
    "wheel alone": ("compile",),
    "compile": ("finish",),
    "nothing": STEPS,
}
Row = Mapping[str, Any]
_KIND = "timings"
BOUNDS: dict[Step, str] = {"compile": "up to", "finish": "about"}  # ccache may have objects of a compile
_LESS = "; less where ccache has object files"
_ROW = {"recipe", "version", "engine", "step", "seconds", "cpus", "date"}


class TimesTable(Strict):
    """How long a recipe's steps took where they were measured: `recipes/<name>/times.toml`."""

    date: datetime.date = Field(description="day of the build that was timed")
    cpus: int = Field(ge=1, description="CPUs of the machine")
    compile: float = Field(gt=0, allow_inf_nan=False, description="seconds of the compile")
    finish: float = Field(gt=0, allow_inf_nan=False, description="seconds of the steps after it")
    note: str = Field("", description="which build it was")


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Seconds that a step is expected to take on this run's CPUs, and where the number comes from."""

    seconds: float
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """Which part of a plan the store has, and what is left; `estimate` is None where nothing is known."""

    recipe: str
    label: str
    stored: State
    estimate: Estimate | None

    def to_json(self) -> dict[str, Any]:
        """As JSON-serialisable data."""
        return {
            "stored": {
                "wheel": self.stored in ("wheel", "wheel alone"),
                "compile": self.stored in ("wheel", "compile"),
            },
            "estimate": self.estimate and {"seconds": self.estimate.seconds, "source": self.estimate.source},
        }

    def __str__(self) -> str:
        """For a line of `plan`."""
        if self.stored == "wheel":
            return "the wheel is in the store"
        known = "an unknown time"
        if self.estimate:
            known = f"{_bound([self])} {about(self.estimate.seconds)} ({self.estimate.source})"
        if self.stored == "wheel alone":
            return (
                f"the wheel is in the store, its compile, which others link, is not; compiling takes {known}"
            )
        left = "finishing" if self.stored == "compile" else "building"
        have = "the compile is" if self.stored == "compile" else "nothing is"
        return f"{have} in the store; {left} takes {known}"


def make_forecasts(context: Context, plans: Sequence[BuildPlan]) -> tuple[Forecast, ...]:
    """Looks each plan up in the store, and estimates what is left of it.

    A package is compiled with the compiled libraries that it links, also if their finished wheels are stored.
    """
    past = past_times(context)
    stored = {plan.recipe: _stored(context, plan) for plan in plans}
    linked = {name for plan in plans if stored[plan.recipe] == "nothing" for name in plan.libraries}
    for plan in (one for one in plans if one.distribution in linked and one.compile.backend != "prebuilt"):
        if stored[plan.recipe] == "wheel" and not _has_compile(context, plan):
            stored[plan.recipe] = "wheel alone"
    return tuple(_forecast(context, plan, stored[plan.recipe], past) for plan in plans)


def _stored(context: Context, plan: BuildPlan) -> State:
    if context.store.get("built", plan.digest) is not None:
        return "wheel"
    return "compile" if _has_compile(context, plan) else "nothing"


def _has_compile(context: Context, plan: BuildPlan) -> bool:
    return context.store.get("compiled", plan.compile_key) is not None


def _forecast(context: Context, plan: BuildPlan, stored: State, past: Sequence[Row]) -> Forecast:
    steps = [step for step in _LEFT[stored] if step == "finish" or plan.compile.backend != "prebuilt"]
    found = [estimate_of(context, plan, step, past) for step in steps]
    known = [one for one in found if one is not None]
    whole = None
    if len(known) == len(found):
        sources = "; ".join(dict.fromkeys(one.source for one in known)) or "in the store"
        whole = Estimate(seconds=sum(one.seconds for one in known), source=sources)
    label = f"{plan.distribution} {plan.local_version}"
    return Forecast(recipe=plan.recipe, label=label, stored=stored, estimate=whole)


def estimate_of(context: Context, plan: BuildPlan, step: Step, past: Sequence[Row]) -> Estimate | None:
    """How long a step of a plan takes, by the times of this machine (`past_times`) or by the recipe's data.

    A compile is given the longer of both: compiles here may have found their object files in ccache.
    Raises RecipeError for malformed data.
    """
    here, measured = _here(context, plan, step, past), _measured(context, plan, step)
    if here is None or measured is None:
        return here or measured
    return max(here, measured, key=lambda one: one.seconds) if step == "compile" else here


def _here(context: Context, plan: BuildPlan, step: Step, past: Sequence[Row]) -> Estimate | None:
    rows = [row for row in past if _is_alike(row, plan, step)]
    same = [row for row in rows if row["version"] == plan.version] or rows
    if not same:
        return None
    longest = max(same, key=lambda row: row["seconds"] * row["cpus"])
    count = f"the longest of {len(same)} here" if len(same) > 1 else "the last one here"
    seconds = longest["seconds"] * longest["cpus"] / context.cpus
    return Estimate(seconds=seconds, source=f"{step}: {count}, {longest['date']}")


def _measured(context: Context, plan: BuildPlan, step: Step) -> Estimate | None:
    table = read_times(context.book.load(plan.recipe).folder)
    if table is None:
        return None
    note = f", {table.note}" if table.note else ""
    seconds = (table.compile if step == "compile" else table.finish) * table.cpus / context.cpus
    return Estimate(seconds=seconds, source=f"{step}: measured on {table.cpus} CPUs, {table.date}{note}")


def read_times(folder: Path) -> TimesTable | None:
    """The times next to a recipe, where there are any; raises RecipeError where they are malformed."""
    path = folder / TIMES
    if not path.is_file():
        return None
    try:
        return TimesTable.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as fault:
        raise RecipeError(
            f"{path} is not valid: {fault}",
            next_step="give date, cpus, compile and finish, or delete the file",
        ) from fault


def keep_time(context: Context, plan: BuildPlan, step: Step, seconds: float) -> None:
    """Keeps in the store how long a step of a plan has taken."""
    now = datetime.datetime.now(datetime.UTC)
    row = {
        "recipe": plan.recipe,
        "version": plan.version,
        "engine": plan.environment.engine,
        "step": step,
        "seconds": round(seconds, 1),
        "cpus": context.cpus,
        "date": now.date().isoformat(),
    }
    key = digest_of([plan.compile_key, now.isoformat(), row])
    context.store.put(_KIND, key, lambda new: (new / "time.json").write_text(json.dumps(row), "utf-8"))


def past_times(context: Context) -> tuple[Row, ...]:
    """What `keep_time` has kept in the store."""
    entries = (context.store.get(kind, key) for kind, key, _ in context.store.entries(_KIND))
    return tuple(json.loads((entry / "time.json").read_text("utf-8")) for entry in entries if entry)


def _is_alike(row: Row, plan: BuildPlan, step: Step) -> bool:
    """Whether a row is of such a step; one that another version of spokeshave wrote may lack keys."""
    return row.keys() >= _ROW and (row["recipe"], row["engine"], row["step"]) == (
        plan.recipe,
        plan.environment.engine,
        step,
    )


def summary(forecasts: Sequence[Forecast]) -> str:
    """One line for the whole build: what the store has, and the time of the rest."""
    left = [one for one in forecasts if one.stored != "wheel"]
    wheels = sum(one.stored in ("wheel", "wheel alone") for one in forecasts)
    have = f"in the store: {wheels} of {len(forecasts)} wheels"
    if not left:
        return have
    known = [(one.recipe, one.estimate.seconds) for one in left if one.estimate]
    parts = [f"{name} {about(seconds)}" for name, seconds in known]
    parts += [f"{one.recipe} unknown" for one in left if not one.estimate]
    bound = _bound([one for one in left if one.estimate])
    whole = f"{bound} {about(sum(seconds for _, seconds in known))}" if known else "an unknown time"
    more = " and more" if known and len(known) < len(left) else ""
    note = _LESS if known and bound == BOUNDS["compile"] else ""
    return f"{have}; the rest takes {whole}{more} ({', '.join(parts)}){note}"


def _bound(forecasts: Sequence[Forecast]) -> str:
    """The word before the time of forecasts: they are an upper bound if one of them has a compile."""
    return BOUNDS["compile" if any("compile" in _LEFT[one.stored] for one in forecasts) else "finish"]


def about(seconds: float) -> str:
    """A rounded time: `40 s`, `21 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
