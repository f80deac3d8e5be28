"""The shapes of schedules that panels, CLI and library share. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kernel_tools.core.errors import InvalidArgumentError


class Missed(StrEnum):
    """What happens about times that passed while nothing looked at schedules."""

    ONCE = "once"
    SKIP = "skip"
    ALL = "all"


class Overlap(StrEnum):
    """What happens at a due time while a former job of the schedule has not ended."""

    ALLOW = "allow"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """One schedule as a table row.

    Attributes
    ----------
    every
        Seconds; None if `cron` says when it is due.
    timing
        The same in words.
    next_at
        When it is due next; None while it is paused.
    last_at, last_job
        The due time that was last answered with a job, and that job; a job that was asked for by `run_now` is not one.
    fired, dropped
        How many jobs it has made at due times, and how many due times it let pass by.
    last_error, error_at
        Why the last due time gave no job, and which time that was; empty once a job was made again.
    """

    name: str
    entry_kind: str
    entry: str
    experiment: str | None
    user: str
    created_at: int
    cron: str | None
    every: int | None
    time_zone: str
    timing: str
    missed: Missed
    overlap: Overlap
    is_paused: bool
    next_at: int | None
    last_at: int | None
    last_job: str | None
    fired: int
    dropped: int
    last_error: str
    error_at: int | None


def to_missed(text: str) -> Missed:
    """Read a policy about missed times; InvalidArgumentError if it is none."""
    try:
        return Missed(text)
    except ValueError as error:
        raise InvalidArgumentError(f"missed is {text!r}: use one of {', '.join(Missed)}.") from error


def to_overlap(text: str) -> Overlap:
    """Read a policy about overlapping jobs; InvalidArgumentError if it is none."""
    try:
        return Overlap(text)
    except ValueError as error:
        raise InvalidArgumentError(f"overlap is {text!r}: use one of {', '.join(Overlap)}.") from error
