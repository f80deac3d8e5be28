"""What a job is told once and for all: its spec, immutable JSON with a version. Standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError

SPEC_VERSION = 1
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)\s*(d|h|min|ms|m|s))")
_SECONDS = {"d": 86_400.0, "h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)?")
_BYTES = {"B": 1, **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", 1)}}
_BYTES |= {f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)}


def to_seconds(duration: float | str, what: str) -> float:
    """Read a duration: a number of seconds, or a text such as ``"90s"``, ``"30min"`` or ``"1h 30min"``.

    Raises
    ------
    InvalidArgumentError
        If it is neither, or not above zero.
    """
    seconds: float | None = None
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        seconds = float(duration)
    elif isinstance(duration, str):
        parts = _DURATION.findall(duration)
        if parts and not _DURATION.sub("", duration).strip():
            seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds is None or not 0 < seconds < 1e9:
        raise InvalidArgumentError(
            f"{what} is {duration!r}: use seconds above zero, or a text such as '90s', '30min' or '1h 30min'."
        )
    return seconds


def to_bytes(size: int | str | None, what: str) -> int | None:
    """Read a size: a number of bytes, or a text such as ``"512MiB"`` or ``"4GB"``; InvalidArgumentError otherwise."""
    if size is None:
        return None
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    found = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
    if found is None or float(found[1]) <= 0:
        raise InvalidArgumentError(f"{what} is {size!r}: use bytes, or a text such as '512MiB' or '4GiB'.")
    return int(float(found[1]) * _BYTES[found[2] or "B"])


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job may use.

    Parameters
    ----------
    cpus
        Processors, a whole number; None for all.
    memory
        Bytes, or a text such as ``"4GiB"``; None for no limit.
    processes
        How many processes run the entry; more than one needs a launcher for distributed work.
    """

    cpus: int | None = None
    memory: int | str | None = None
    processes: int = 1

    def __post_init__(self) -> None:
        if self.cpus is not None and (not isinstance(self.cpus, int) or isinstance(self.cpus, bool) or self.cpus < 1):
            raise InvalidArgumentError(f"Resources(cpus={self.cpus!r}): use a whole number above zero, or None.")
        object.__setattr__(self, "memory", to_bytes(self.memory, "Resources(memory=...)"))
        if self.processes != 1:
            raise InvalidArgumentError(
                f"Resources(processes={self.processes!r}): the local launcher runs one process per job. Start more "
                f"from "
                "the script, for example with torchrun."
            )


@dataclass(frozen=True, slots=True)
class Spot:
    """Let a job be interrupted when its capacity is wanted elsewhere, and go on later from its newest checkpoint.

    Parameters
    ----------
    max_wait
        Seconds, or a text such as ``"1h"``, that waiting and running may take together, from the submission.
    notice
        Seconds between the notice of an interruption and the kill.
    """

    max_wait: float | str | None = None
    notice: float | str = 120.0

    def __post_init__(self) -> None:
        if self.max_wait is not None:
            object.__setattr__(self, "max_wait", to_seconds(self.max_wait, "Spot(max_wait=...)"))
        object.__setattr__(self, "notice", to_seconds(self.notice, "Spot(notice=...)"))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How often `kernel_tools.jobs.checkpointing` saves by default, and how many checkpoints it keeps."""

    every: float | str = 60.0
    keep: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "every", to_seconds(self.every, "Checkpoint(every=...)"))
        if not isinstance(self.keep, int) or self.keep < 1:
            raise InvalidArgumentError(f"Checkpoint(keep={self.keep!r}): keep at least 1.")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a job is started again.

    Parameters
    ----------
    errors
        After attempts that failed.
    lost
        After attempts whose supervisor died, so that nobody knows how far they came. A job with `Spot` is always
        started again: it is made to go on from a checkpoint.
    """

    errors: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        for name in ("errors", "lost"):
            count = getattr(self, name)
            if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 1000:
                raise InvalidArgumentError(f"Retries({name}={count!r}): use a whole number from 0 to 1000.")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is run: `kind` is script, module, function, notebook or command; `target` a path below the source, a name,
    or the command itself; `arguments` are put before those made of the parameters."""

    kind: str
    target: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """Data of one channel: where it was, and what was in it; `is_kept` if the job's folder has a copy."""

    path: str
    sha256: str
    size: int
    is_folder: bool = False
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class JobSpec:
    """Everything needed to run a job again. `secrets` names where the values are found, never the values.

    `schedule` names the schedule that made the job, `due_at` the time that it made it for (in milliseconds, UTC).
    """

    name: str
    entry: Entry
    created_at: int
    created_by: str
    source_sha256: str = ""
    source_origin: str = ""
    working_dir: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = Resources()
    spot: Spot | None = None
    checkpoint: Checkpoint = Checkpoint()
    retries: Retries = Retries()
    max_runtime: float | None = None
    grace: float = 30.0
    priority: int = 0
    experiment: str | None = None
    run_id: str | None = None
    launcher: str = "local"
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    rerun_of: str | None = None
    schedule: str | None = None
    due_at: int | None = None
    debugger: Mapping[str, Any] | None = None

    def to_json(self) -> bytes:
        """Write the spec."""
        return json.dumps({"version": SPEC_VERSION, **asdict(self)}, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes, name: str) -> JobSpec:
        """Read a spec.

        Raises
        ------
        IntegrityError
            If it is not what Atelier wrote, or a newer Atelier wrote it.
        """
        try:
            plain = json.loads(content)
            version = plain["version"]
            if version <= SPEC_VERSION:
                return cls(**_typed(plain))
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"The spec of job {name!r} is not what Atelier wrote ({type(error).__name__}: {error})."
            ) from error
        raise IntegrityError(
            f"The spec of job {name!r} has format version {version!r}; this Atelier reads {SPEC_VERSION}. Update "
            f"Atelier."
        )


def _typed(plain: Mapping[str, Any]) -> dict[str, Any]:
    known = {item.name: plain[item.name] for item in fields(JobSpec) if item.name in plain}
    known["entry"] = Entry(known["entry"]["kind"], known["entry"]["target"], tuple(known["entry"]["arguments"]))
    known["inputs"] = {channel: Input(**data) for channel, data in known.get("inputs", {}).items()}
    for name, kind in (("resources", Resources), ("checkpoint", Checkpoint), ("retries", Retries), ("spot", Spot)):
        if known.get(name) is not None:
            known[name] = kind(**known[name])
    return known
