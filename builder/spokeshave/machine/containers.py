"""Docker as we use it: probe it, run one command in a throwaway container, clear away what was left.

Files go in and out by copy, never by a mount of the host, and no container has a network. The compiles of
one store share a volume of Docker's own, with object files for later compiles of the same source and flags.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spokeshave.errors import EngineDenied, EngineMissing, ImageError
from spokeshave.inside.run import Command, Finished, Runner
from spokeshave.machine.owners import Cleared, Owner, State, is_running, this_run

RUN = "spokeshave.run"
OLD_OWNER = "spokeshave.owner"  # of earlier versions: PID:START, in whatever PID namespace
_PROBE_SECONDS = 20.0
_NEXT = "run `spokeshave doctor`: is the daemon up, and has its disk room?"


def object_cache(store: Path) -> str:
    """The volume with the object files of a store; a volume, so that no folder of the host is mounted."""
    return f"spokeshave-objects-{hashlib.sha256(str(store).encode()).hexdigest()[:12]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Containers:
    """The Docker client, through the runner that starts every subprocess.

    `logs` is the folder of this run's logs, whose lock it holds; those of other runs are next to it.
    """

    runner: Runner
    logs: Path | None = None

    def labels(self) -> tuple[str, ...]:
        """Labels that name the run of a container."""
        return (f"{RUN}={this_run(self.logs.name if self.logs else '')}",)

    def probe(self) -> str:
        """The server's version.

        Raises EngineMissing where no client or no server is there, EngineDenied without the rights.
        """
        try:
            done = self._docker("version", "--format", "{{.Server.Version}}", timeout=_PROBE_SECONDS)
        except FileNotFoundError as fault:
            raise EngineMissing(
                "Docker is not installed",
                next_step="install it (`apt-get install docker.io`), or use `--engine host`",
            ) from fault
        except TimeoutError as fault:
            raise EngineMissing(
                f"Docker did not answer within {_PROBE_SECONDS:.0f} s",
                next_step="restart its daemon, or use `--engine host`",
            ) from fault
        if done.ok:
            return done.output.strip().splitlines()[-1]
        if "permission denied" in done.output.lower():
            raise EngineDenied(
                "this user may not talk to the Docker daemon",
                next_step="`sudo usermod -aG docker $USER` and log in again, or use `--engine host`",
            )
        raise EngineMissing(
            f"no Docker daemon answers: {done.output.strip().splitlines()[-1]}",
            next_step="start it (`systemctl start docker`, or `dockerd` where no init system runs), "
            "or use `--engine host`",
        )

    def image_id(self, reference: str) -> str | None:
        """The id of a local image, or nothing where there is none."""
        done = self._docker("image", "inspect", "--format", "{{.Id}}", reference)
        return done.output.strip() if done.ok else None

    def label_of(self, reference: str, name: str) -> str:
        """The value of a local image's label; empty where there is no such image or label."""
        form = f'{{{{index .Config.Labels "{name}"}}}}'
        done = self._docker("image", "inspect", "--format", form, reference)
        return done.output.strip() if done.ok else ""

    def run(
        self,
        *,
        image: str,
        folders: Mapping[Path, str],
        argv: tuple[str, ...],
        collect: Mapping[str, Path],
        log: Path,
        on_line: Callable[[str], None] | None = None,
        workdir: str = "/tmp",  # noqa: S108  (a path in the container)
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        """Runs `argv` in a new container of `image` and removes it, whatever happens.

        `folders` are copied in first (host folder to container path), `collect` copied out after, also
        after a failure where they exist. Raises ImageError where the container cannot be made.
        """
        name = f"spokeshave-{uuid.uuid4()}"
        labels = [part for label in self.labels() for part in ("--label", label)]
        variables = [part for k, v in (env or {}).items() for part in ("--env", f"{k}={v}")]
        made = self._docker(
            *("create", "--name", name, "--network", "none", "--workdir", workdir),
            *labels,
            *variables,
            *(image, *argv),
        )
        if not made.ok:
            raise ImageError(f"no container of {image} can be made: {made.output.strip()}", next_step=_NEXT)
        try:
            for source, target in folders.items():
                self._checked("cp", f"{source}/.", f"{name}:{target}")
            done = self.runner(Command(argv=("docker", "start", "--attach", name), log=log, on_line=on_line))
            for inside, outside in collect.items():
                outside.mkdir(parents=True, exist_ok=True)
                copied = self._docker("cp", f"{name}:{inside}/.", str(outside))
                if done.ok and not copied.ok:
                    raise ImageError(
                        f"{inside} cannot be copied out: {copied.output.strip()}", next_step=_NEXT
                    )
            return done
        finally:
            self._docker("rm", "--force", "--volumes", name)

    def remove_orphans(self, *, unsure: bool = False) -> Cleared:
        """Removes containers whose run has ended; with `unsure`, also those whose run may have.

        A run in another PID namespace is judged by the lock of its log folder, where that is in our store.
        """
        states = {**self._labelled(RUN, self._state), **self._labelled(OLD_OWNER, _old_state)}
        wanted = ("dead", "unsure") if unsure else ("dead",)
        orphans = [identity for identity, state in states.items() if state in wanted]
        if orphans:
            self._docker("rm", "--force", "--volumes", *orphans)
        left = list(states.values()).count("unsure")
        return Cleared(removed=len(orphans), left=0 if unsure else left)

    def _labelled(self, label: str, judge: Callable[[str], State]) -> dict[str, State]:
        """The containers with a label, by id, and what its value says of their run."""
        form = '{{.ID}} {{.Label "' + label + '"}}'
        listed = self._docker("ps", "--all", "--filter", f"label={label}", "--format", form)
        rows = [line.partition(" ") for line in listed.output.splitlines()] if listed.ok else []
        return {identity: judge(value) for identity, _, value in rows}

    def _state(self, label: str) -> State:
        owner = Owner.parse(label)
        return owner.state(self.logs.parent if self.logs else None) if owner else "unsure"

    def remove_object_cache(self, store: Path) -> None:
        """Removes the volume with a store's object files, where it is and no compile uses it."""
        self._docker("volume", "rm", "--force", object_cache(store))

    def _docker(self, *words: str, timeout: float | None = None) -> Finished:
        return self.runner(Command(argv=("docker", *words), timeout=timeout))

    def _checked(self, *words: str) -> Finished:
        done = self._docker(*words)
        if not done.ok:
            raise ImageError(f"docker {words[0]} failed: {done.output.strip()}", next_step=_NEXT)
        return done


def _old_state(label: str) -> State:
    """A process of that number and time is its run; without one, it may be in another PID namespace."""
    pid, _, started = label.partition(":")
    return "alive" if pid.isdigit() and started and is_running(int(pid), started) else "unsure"
