"""One traced run of a command: the loaded modules, the versions, the sizes of components."""

from __future__ import annotations

import datetime
import select
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from spokeshave.context import Context
from spokeshave.errors import RecipeError
from spokeshave.inside.levers.lever import fits
from spokeshave.inside.model import Target
from spokeshave.inside.sizes import kind_of
from spokeshave.recipes.schema import ComponentTable
from spokeshave.recipes.select import pick_version
from spokeshave.removal.check import stack_recipes
from spokeshave.removal.readers.python import python_references
from spokeshave.removal.readers.reader import Unit
from spokeshave.trace.inject import Watch, run_recorded
from spokeshave.trace.record import Lines, Mention, Run
from spokeshave.trace.resolve import components

_KEPT = frozenset({"ext modules", "Python", "other"})
_STDOUT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Traced:
    """A run, the folders of the stack's packages in it, by import name, and the signals passed to it.

    `reader_ended` says that nobody read the command's output to its end, as under `| head`.
    """

    run: Run
    roots: tuple[tuple[str, Path], ...]
    signals: tuple[int, ...] = ()
    reader_ended: bool = False


def run_once(context: Context, argv: Sequence[str], environment: Mapping[str, str]) -> Traced:
    """Runs the command with the recorder in it, and returns the record.

    Raises TraceError where it cannot be started, NothingRecorded where no Python process was recorded.
    """
    parts = components(context)
    names = {loaded.recipe.import_name: loaded.recipe.distribution for loaded in stack_recipes(context)}
    started = datetime.datetime.now(datetime.UTC)
    signals: list[int] = []
    folder = context.logs / "trace"
    code, lines = run_recorded(argv, environment, watch(context), folder, on_signal=signals.append)
    ended = reader_ended(_STDOUT)
    roots = tuple((name, Path(root)) for name, root in lines.roots)
    versions: dict[str, tuple[str, ...]] = {}
    for name, root in roots:
        found = (*versions.get(name, ()), *_version(root.parent, names[name]))
        versions[name] = tuple(sorted(set(found)))
    sizes = {name: size_installed(dict(roots), part) for name, part in parts.items()}
    run = Run(
        command=tuple(argv),
        date=started.isoformat(timespec="seconds"),
        exit_code=code,
        versions=versions,
        weights={name: size for name, size in sizes.items() if size},
        harness=tuple(one for name, root in roots for one in _harness(name, root / "conftest.py")),
        **lines.model_dump(exclude={"roots", "touched"}),
    )
    return Traced(run=run, roots=roots, signals=tuple(signals), reader_ended=ended)


def reader_ended(descriptor: int) -> bool:
    """Whether a descriptor is a pipe whose reader has ended."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLERR)
    try:
        return any(event & select.POLLERR for _, event in waiting.poll(0))
    except OSError:
        return False


def watch(context: Context) -> Watch:
    """What to listen for: the stack's packages, and the modules of their components."""
    modules = {module for part in components(context).values() for module in part.modules}
    packages = tuple(loaded.recipe.import_name for loaded in stack_recipes(context))
    return Watch(packages=packages, modules=tuple(sorted(modules)))


def _harness(package: str, path: Path) -> Iterator[Mention]:
    """The imports of a package's own conftest.py: verifying a wheel runs the tests below it."""
    user = f"{package}.conftest"
    with suppress(FileNotFoundError, SyntaxError):
        found = python_references(Unit(text=path.read_text("utf-8", "replace"), module=user))
        names = {one.name for one in found if one.kind == "import"}
        yield from (Mention(name=name, user=user) for name in sorted(names))


def _version(site: Path, distribution: str) -> Iterator[str]:
    yield from (one.version for one in distributions(path=[str(site)], name=distribution))


def size_installed(roots: Mapping[str, Path], part: ComponentTable) -> int:
    """The bytes of a component in the packages' folders, without tests, bytecode, type stubs and sources."""
    sizes: dict[Path, int] = {}
    for name, root in roots.items():
        files = [m for m in part.modules if m.partition(".")[0] == name]
        paths = {path for module in files for path in _paths(root.parent, module)}
        paths |= {
            path
            for glob in part.files
            if glob.partition("/")[0] == name
            for path in root.rglob("*")
            if fits(path.relative_to(root.parent).as_posix(), (glob,))
        }
        for path in paths:
            for one in path.rglob("*") if path.is_dir() else (path,):
                if one.is_file() and "__pycache__" not in one.parts and kind_of(one.as_posix()) in _KEPT:
                    sizes[one] = one.stat().st_size
    return sum(sizes.values())


def _paths(site: Path, module: str) -> Iterable[Path]:
    path = site.joinpath(*module.split("."))
    files = path.parent.glob(f"{path.name}.*")
    return [path, *files] if path.is_dir() else files


def losses(run: Run | Lines) -> list[str]:
    """The parts of a run that were not recorded: it may have used components there."""
    started = [f"a Python process was started without the recorder: {what}" for what in run.hidden]
    return [*run.lost, *started]


def warnings(context: Context, runs: Iterable[Run], target: Target) -> list[str]:
    """Why the runs may show less than all, or show other versions than the recipes build."""
    found: dict[str, None] = {}
    built = {
        loaded.recipe.import_name: _built(context, loaded.recipe.name, target)
        for loaded in stack_recipes(context)
    }
    for run in runs:
        command = shown(run.command)
        for name, versions in run.versions.items():
            if other := [one for one in versions if one.partition("+")[0] != built.get(name, one)]:
                found[f"{command}: {name} {', '.join(other)} was traced, the recipe builds {built[name]}"] = (
                    None
                )
        for why in losses(run):
            found[f"{command}: not all was recorded ({why})"] = None
        if run.recheck and run.recheck.fault:
            found[f"{command}: no recheck: {run.recheck.fault}"] = None
        for module in run.missing:
            found[
                f"{command}: asked for {module}, which had been removed from its wheels; it counts as loaded"
            ] = None
        if run.exit_code:
            found[f"{command}: ended with exit code {run.exit_code}; what came after is not recorded"] = None
    return list(found)


def _built(context: Context, recipe: str, target: Target) -> str:
    try:
        return pick_version(context.book.load(recipe).recipe, target.python_version).version
    except RecipeError:
        return "nothing for this Python"


def shown(command: Sequence[str], length: int = 60) -> str:
    """A command for messages: without the folders of this machine, without control characters, not long."""
    words = [Path(word).name if word.startswith(("/", "./", "../", "~")) else word for word in command]
    text = "".join(char if char.isprintable() else " " for char in " ".join(words))
    return text if len(text) <= length else f"{text[: length - 1]}…"
