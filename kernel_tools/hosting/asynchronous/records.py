"""The shapes of asynchronous inference, in SageMaker's words. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from kernel_tools.core.errors import InvalidArgumentError

MAX_PAYLOAD_BYTES = 1024**3
DEFAULT_TTL_SECONDS = 6 * 3600
DEFAULT_TIMEOUT_SECONDS = 900
DEFAULT_RETRIES = 3
MAX_TARGETS = 10


class AsyncState(StrEnum):
    """What became of an asynchronous request."""

    QUEUED = "Queued"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    EXPIRED = "Expired"
    CANCELLED = "Cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to the request any more, unless it is retried."""
        return self not in (AsyncState.QUEUED, AsyncState.IN_PROGRESS)


def as_state(name: str | None) -> AsyncState | None:
    """Return a state by its name, None for None; InvalidArgumentError if there is no such state."""
    try:
        return AsyncState(name) if name is not None else None
    except ValueError as error:
        known = ", ".join(AsyncState)
        raise InvalidArgumentError(f"{str(name)[:40]!r} is not a state of a request: there are {known}.") from error


@dataclass(frozen=True, slots=True)
class Notify:
    """Who is told when a request is over: `success` when it is Completed, `error` when it Failed or Expired.

    A target is an address ``http://`` or ``https://`` that a JSON message is posted to, a path or ``file://`` URI of a
    file that it is appended to as a line, or ``event``: a record in the workspace's audit log.
    """

    success: tuple[str, ...] = ()
    error: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for target in (*self.success, *self.error):
            _check_target(target)
        if max(len(self.success), len(self.error)) > MAX_TARGETS:
            raise InvalidArgumentError(f"More than {MAX_TARGETS} targets of notifications: name fewer.")


def as_notify(targets: Notify | str | Sequence[str] | None) -> Notify | None:
    """Return whom to notify: targets that are not sorted are told of both ends. Paths are made absolute.

    Raises
    ------
    InvalidArgumentError
        If a target is none.
    """
    if targets is None:
        return None
    if not isinstance(targets, Notify):
        both = (targets,) if isinstance(targets, str) else tuple(targets)
        targets = Notify(both, both)
    return Notify(tuple(map(_absolute, targets.success)), tuple(map(_absolute, targets.error)))


def _absolute(target: str) -> str:
    return target if target == "event" or "://" in target else str(Path(target).expanduser().absolute())


def _check_target(target: str) -> None:
    if not isinstance(target, str) or not 0 < len(target) <= 2048 or not target.isprintable():
        raise InvalidArgumentError(
            f"{str(target)[:80]!r} cannot be notified: give a URL, a path of a file, or 'event'."
        )
    try:
        address = urlsplit(target)
        address.port  # noqa: B018  # raises if it is no number
    except ValueError as error:
        raise InvalidArgumentError(f"{target[:80]!r} cannot be notified: {error}.") from error
    if "://" in target and address.scheme not in ("http", "https", "file"):
        raise InvalidArgumentError(f"{target[:80]!r} cannot be notified: only http, https and file are written to.")
    if address.scheme in ("http", "https") and not address.hostname:
        raise InvalidArgumentError(f"{target[:80]!r} cannot be notified: it names no host.")


@dataclass(frozen=True, slots=True)
class AsyncConfiguration:
    """How an endpoint answers asynchronous requests; `async/configuration.json` in its folder.

    Parameters
    ----------
    max_concurrent
        Requests that are sent to the model at a time, 1 to 1000.
    output_path
        Folder of the outputs; empty is ``async/output`` in the endpoint's folder.
    failure_path
        Folder of the messages of failed requests; empty is that of the outputs.
    input_roots
        Folders, or ``s3://`` prefixes, that callers over the network may name inputs in, besides ``async/input`` in the
        endpoint's folder and ``inputs`` in the workspace.
    notify
        Who is told about requests that name nobody themselves.
    retries
        How often a request is tried again that the model failed on, 0 to 100.
    """

    max_concurrent: int = 4
    output_path: str = ""
    failure_path: str = ""
    input_roots: tuple[str, ...] = ()
    notify: Notify = Notify()
    retries: int = DEFAULT_RETRIES
    format_version: int = 1

    def __post_init__(self) -> None:
        check_range("max_concurrent", self.max_concurrent, 1, 1000)
        check_range("retries", self.retries, 0, 100)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What is asked for: an input that is there already, and how long it may take.

    Parameters
    ----------
    id
        The inference id, 1 to 64 printable characters.
    input_path
        Where the input is.
    input_digest
        What tells this input from another one: an id that is given twice must have the same input.
    input_bytes
        Its size.
    owns_input
        Whether the file is the queue's own, removed once the request is completed.
    output_path, failure_path
        Where the output, or the message of a failure, is written.
    ttl_seconds
        How long it may wait before it is Expired, 60 to 21,600.
    timeout_seconds
        How long the model may take for it, 1 to 3,600.
    retries
        How often it is tried again when the model fails.
    """

    id: str
    input_path: str
    input_digest: str
    input_bytes: int
    owns_input: bool
    output_path: str
    failure_path: str
    content_type: str = "application/json"
    accept: str = ""
    custom_attributes: str = ""
    target_variant: str = ""
    ttl_seconds: int = DEFAULT_TTL_SECONDS
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS
    retries: int = DEFAULT_RETRIES
    notify: Notify = Notify()

    def __post_init__(self) -> None:
        check_id(self.id)
        check_range("ttl_seconds", self.ttl_seconds, 60, 21_600)
        check_range("timeout_seconds", self.timeout_seconds, 1, 3600)
        check_range("retries", self.retries, 0, 100)


@dataclass(frozen=True, slots=True)
class AsyncRecord:
    """One asynchronous request. `message` says why it is not Completed; locations are ``file://`` URIs.

    `due_at` is when a Queued request may be begun: later than now while it waits to be tried again.
    """

    id: str
    state: AsyncState
    created_at: int
    created_by: str
    due_at: int
    expires_at: int
    started_at: int | None
    finished_at: int | None
    attempts: int
    retries: int
    timeout_seconds: int
    content_type: str
    accept: str
    input_location: str
    input_bytes: int
    output_location: str
    failure_location: str
    reply_type: str
    message: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A request in the hands of one worker until `lease_until`; `lease` is worth nothing once another has it."""

    id: str
    lease: str
    lease_until: int
    attempt: int
    input_path: str
    output_path: str
    failure_path: str
    content_type: str
    accept: str
    custom_attributes: str
    target_variant: str
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class AsyncMetrics:
    """The queue in numbers; `named` has them under CloudWatch's names.

    Parameters
    ----------
    backlog
        Requests that are Queued or InProgress.
    backlog_per_instance
        The backlog divided by the workers that are ready, or the backlog if there is none.
    oldest_seconds
        Age of the oldest of them.
    has_backlog_without_capacity
        Whether there is a backlog and no worker.
    counts
        Requests by state.
    undelivered_notifications
        Notifications that are due, or were given up.
    """

    backlog: int
    backlog_per_instance: float
    oldest_seconds: float
    has_backlog_without_capacity: bool
    counts: dict[str, int]
    undelivered_notifications: int

    @classmethod
    def of_nothing(cls) -> AsyncMetrics:
        """Return the numbers of a queue that does not exist yet."""
        return cls(0, 0.0, 0.0, False, {state.value: 0 for state in AsyncState}, 0)

    def named(self) -> dict[str, float]:
        """Return the metrics under SageMaker's names."""
        return {
            "ApproximateBacklogSize": self.backlog,
            "ApproximateBacklogSizePerInstance": self.backlog_per_instance,
            "ApproximateAgeOfOldestRequest": self.oldest_seconds,
            "HasBacklogWithoutCapacity": float(self.has_backlog_without_capacity),
            "ExpiredRequests": self.counts[AsyncState.EXPIRED],
            "InvocationsProcessed": self.counts[AsyncState.COMPLETED] + self.counts[AsyncState.FAILED],
            "InvocationFailures": self.counts[AsyncState.FAILED],
        }


def check_id(identifier: str) -> str:
    """Return an inference id if it may be one: 1 to 64 printable characters without a space at either end."""
    is_text = isinstance(identifier, str) and 0 < len(identifier) <= 64
    if not is_text or not identifier.isprintable() or identifier != identifier.strip():
        raise InvalidArgumentError(
            f"{str(identifier)[:80]!r} is not an inference id: give 1 to 64 printable characters."
        )
    return identifier


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Raise InvalidArgumentError unless a whole number is within its range."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidArgumentError(f"{name}={value!r} is out of range: a whole number from {low:,} to {high:,}.")
