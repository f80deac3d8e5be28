"""The quiet rule: no processor time, no I/O and no execution for a while. What is seen and when is given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from studio_ext.idle_policy import IdlePolicy

QUIET_CPU = 0.02
"""Processors in use below which a kernel is quiet; one that only waits for messages uses a few thousandths."""
QUIET_IO = 10_000.0
"""Bytes read and written per second below which a kernel is quiet."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a kernel.

    Attributes
    ----------
    cpu_seconds, io_bytes
        Of its process tree so far; None if they cannot be measured, such as for a kernel on another machine.
    is_executing
        Whether it executes something.
    last_activity
        When it last executed something or answered a comm; only compared with what was seen before.
    connections
        How many browsers or other clients are connected to it.
    """

    cpu_seconds: float | None
    io_bytes: int | None
    is_executing: bool
    last_activity: float
    connections: int = 0


@dataclass(frozen=True, slots=True)
class _Seen:
    observation: Observation
    at: float
    quiet_since: float


class QuietWatch:
    """Since when kernels have been quiet. Times are seconds of a clock that is never set back."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def observe(self, name: str, observation: Observation, at: float) -> float:
        """Take note of what was seen of a kernel, and return for how many seconds it has been quiet."""
        before = self._seen.get(name)
        is_quiet = before is not None and _is_quiet(before, observation, at)
        since = before.quiet_since if before is not None and is_quiet else at
        self._seen[name] = _Seen(observation, at, since)
        return at - since

    def keep_only(self, names: Collection[str]) -> None:
        """Forget all other kernels."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}


def is_to_stop(policy: IdlePolicy, observation: Observation, quiet_seconds: float) -> bool:
    """Whether the quiet rule stops a kernel; never while it executes."""
    return (
        policy.quiet_minutes > 0
        and not observation.is_executing
        and (policy.cull_connected or observation.connections == 0)
        and quiet_seconds >= policy.quiet_minutes * 60
    )


def _is_quiet(before: _Seen, now: Observation, at: float) -> bool:
    then = before.observation
    if now.is_executing or now.last_activity != then.last_activity:
        return False
    if now.cpu_seconds is None or now.io_bytes is None or then.cpu_seconds is None or then.io_bytes is None:
        return False  # what cannot be measured is not known to be quiet
    seconds = at - before.at
    if seconds <= 0:
        return True
    # What grows less because a descendant has left is quiet as well.
    return (now.cpu_seconds - then.cpu_seconds) / seconds < QUIET_CPU and (
        now.io_bytes - then.io_bytes
    ) / seconds < QUIET_IO
