"""The life of a job: its states, the steps between them, and the fold of a job's events into what it is now.

This module is read by the supervisor too, which is kept small: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from kernel_tools.core.errors import ConflictError


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "Queued"
    WAITING = "Waiting"
    STARTING = "Starting"
    RUNNING = "Running"
    INTERRUPTED = "Interrupted"
    RESTARTING = "Restarting"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    TIMED_OUT = "TimedOut"
    WAIT_EXPIRED = "WaitExpired"
    LOST = "Lost"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return self in ENDS

    @property
    def is_supervised(self) -> bool:
        """Whether a supervisor must be alive in this state."""
        return self in (JobState.WAITING, JobState.STARTING, JobState.RUNNING, JobState.INTERRUPTED)


_S = JobState
ENDS = frozenset({_S.COMPLETED, _S.FAILED, _S.STOPPED, _S.TIMED_OUT, _S.WAIT_EXPIRED, _S.LOST})
STEPS: Mapping[JobState | None, frozenset[JobState]] = {
    None: frozenset({_S.QUEUED}),
    _S.QUEUED: frozenset({_S.WAITING, _S.STARTING, _S.STOPPED, _S.WAIT_EXPIRED, _S.FAILED}),
    _S.WAITING: frozenset({_S.STARTING, _S.RESTARTING, _S.STOPPED, _S.WAIT_EXPIRED, _S.LOST}),
    _S.STARTING: frozenset({_S.RUNNING, _S.RESTARTING, _S.STOPPED, _S.FAILED, _S.LOST}),
    _S.RUNNING: frozenset({_S.INTERRUPTED, _S.RESTARTING, *ENDS}),
    _S.INTERRUPTED: frozenset({_S.WAITING, _S.RESTARTING, _S.STOPPED, _S.TIMED_OUT, _S.WAIT_EXPIRED, _S.LOST}),
    _S.RESTARTING: frozenset({_S.WAITING, _S.STARTING, _S.STOPPED, _S.WAIT_EXPIRED, _S.FAILED, _S.LOST}),
    **dict.fromkeys(ENDS, frozenset()),
}
"""Which state may follow which; the only place where a step is refused."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at running a job.

    Times are milliseconds since 1970 UTC. `ended_state` says why it ended: an end of the job, Interrupted, or
    Restarting after an error or a loss.
    """

    number: int
    started_at: int
    running_at: int | None = None
    ended_at: int | None = None
    ended_state: JobState | None = None
    exit_code: int | None = None
    redone: int = 0
    """Milliseconds of its work that the next attempt has to do again."""
    supervisor: Mapping[str, Any] | None = None
    workload: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a job's life in one state, for its time line."""

    state: JobState
    started_at: int
    ended_at: int | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class JobHistory:
    """What the events of a job add up to."""

    state: JobState | None = None
    reason: str = ""
    changed_at: int = 0
    created_at: int = 0
    attempts: tuple[Attempt, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    failure: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended_at(self) -> int | None:
        """When the job ended, if it did."""
        return self.changed_at if self.state is not None and self.state.is_end else None

    @property
    def running_at(self) -> int | None:
        """When user code first ran."""
        return next((attempt.running_at for attempt in self.attempts if attempt.running_at is not None), None)

    def running_time(self, now: int) -> int:
        """Return how long user code has run in all attempts, in milliseconds; an attempt that runs counts until now."""
        return sum(
            (attempt.ended_at or max(now, attempt.running_at)) - attempt.running_at
            for attempt in self.attempts
            if attempt.running_at is not None
        )


def fold(events: Iterable[Mapping[str, Any]], history: JobHistory | None = None) -> JobHistory:
    """Add events to a history, in their order.

    Raises
    ------
    ConflictError
        If a step is not allowed.
    """
    result = history or JobHistory()
    for event in events:
        result = _step(result, event)
    return result


def require_step(current: JobState | None, following: JobState) -> None:
    """Raise ConflictError if `following` may not come after `current`."""
    if following not in STEPS[current]:
        allowed = ", ".join(sorted(STEPS[current])) or "nothing, it has ended"
        raise ConflictError(
            f"A job that is {current or 'not submitted'} cannot become {following}. What can follow: {allowed}."
        )


def _step(history: JobHistory, event: Mapping[str, Any]) -> JobHistory:
    state = JobState(event["state"])
    require_step(history.state, state)
    at = int(event["at"])
    attempts = list(history.attempts)
    if state is JobState.STARTING:
        attempts.append(Attempt(int(event["attempt"]), at, supervisor=event.get("supervisor")))
    elif state is JobState.RUNNING and attempts:
        attempts[-1] = replace(
            attempts[-1],
            running_at=at,
            workload=event.get("workload"),
            supervisor=event.get("supervisor") or attempts[-1].supervisor,
        )
    elif attempts and attempts[-1].ended_at is None:
        attempts[-1] = replace(
            attempts[-1],
            ended_at=at,
            ended_state=state,
            exit_code=event.get("exit_code"),
            redone=int(event.get("redone", 0)),
        )
    number = attempts[-1].number if attempts and state not in (JobState.WAITING, JobState.QUEUED) else None
    stretches = [*history.stretches]
    if stretches:
        stretches[-1] = replace(stretches[-1], ended_at=at)
    stretches.append(Stretch(state, at, at if state.is_end else None, number))
    return JobHistory(
        state=state,
        reason=str(event.get("reason", "")),
        changed_at=at,
        created_at=history.created_at or at,
        attempts=tuple(attempts),
        stretches=tuple(stretches),
        failure=event.get("failure") or {},
    )
