"""The durable queue of an endpoint's asynchronous requests.

A worker that claims a request holds a lease. Who loses it, because it died or was too slow, can change nothing about
the request any more: every step asks for the lease in the transaction that takes it, also the one in which an output
appears. An output that is there belongs to the first worker that got so far, even if that was killed before it could
say so; the request is then completed, and not sent to the model again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.core.paging import decode_page_token, encode_page_token, validate_limit
from kernel_tools.hosting.asynchronous.database import QueueDatabase
from kernel_tools.hosting.asynchronous.files import publish, temporary_output, write_failure
from kernel_tools.hosting.asynchronous.notices import add_notices, file_uri
from kernel_tools.hosting.asynchronous.records import (
    AsyncMetrics,
    AsyncRecord,
    AsyncState,
    Claim,
    NewRequest,
    check_range,
)
from kernel_tools.hosting.folder import EndpointFolder, current_time

MAX_LOSSES = 20
"""A request whose workers died so often is Failed: it may be what kills them."""

MAX_CLAIMS = 1000
_FIRST_WAIT = 1000
_LONGEST_WAIT = 60_000
_SWEEP = 500


def has_queue(folder: EndpointFolder) -> bool:
    """Whether an endpoint was ever asked asynchronously; opening the queue of one that was not makes it."""
    return (folder.path / "async" / "queue.db").exists()


class AsyncQueue:
    """The queue of one endpoint; for any number of processes and threads.

    Parameters
    ----------
    folder
        The endpoint's folder; NotFoundError if there is none.
    clock
        Tells the time, in milliseconds since 1970 UTC.
    """

    def __init__(self, folder: EndpointFolder, clock: Callable[[], int] = current_time) -> None:
        folder.require()
        self.folder = folder
        self.database = QueueDatabase(folder.path)
        self.clock = clock

    def __enter__(self) -> AsyncQueue:
        """Close the queue with the block."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection to the database."""
        self.database.close()

    def enqueue(self, request: NewRequest) -> AsyncRecord:
        """Queue a request, on the disk when this returns. An id that is known already returns its request as it is.

        Raises
        ------
        ConflictError
            If the id is known with another input, or there is a file where the output is to be.
        UnavailableError
            If the disk is full.
        """
        now = self.clock()
        values = {name: getattr(request, name) for name in NewRequest.__slots__ if name != "notify"}
        values |= {"state": AsyncState.QUEUED, "created_at": now, "created_by": current_user(), "due_at": now}
        values |= {
            "expires_at": now + 1000 * request.ttl_seconds,
            "notify": msgspec.json.encode(request.notify).decode(),
        }
        with self.database.write() as connection:
            if (known := _find(connection, request.id)) is not None:
                if known["input_digest"] != request.input_digest:
                    raise ConflictError(
                        f"Endpoint {self.folder.name!r} has a request {request.id!r} with another input. Choose "
                        "another inference id."
                    )
                return _record(known)
            taken = connection.execute(
                "SELECT id FROM requests WHERE output_path = ?", [request.output_path]
            ).fetchone()
            if taken is not None or Path(request.output_path).exists():
                raise ConflictError(f"The output {request.output_path!r} exists or is promised to another request.")
            names = ", ".join(values)
            marks = ", ".join(f":{name}" for name in values)
            row = connection.execute(f"INSERT INTO requests ({names}) VALUES ({marks}) RETURNING *", values).fetchone()  # noqa: S608  # names of fields
            return _record(row)

    def claim(self, worker: str, lease_seconds: float = 15.0, limit: int = 1) -> list[Claim]:
        """Take the requests that are due, the oldest first, for one worker, until the lease ends or is extended.

        Requests that waited too long are Expired first, and those whose worker lost its lease are due again.
        """
        check_range("limit", limit, 1, MAX_CLAIMS)
        now = self.clock()
        with self.database.write(is_durable=False) as connection:
            self._expire(connection, now)
            self._recover(connection, now, "lease IS NOT NULL AND lease_until < ?", now)
            rows = connection.execute(
                "UPDATE requests SET state = 'InProgress', lease = lower(hex(randomblob(8))), lease_until = ?,"
                " worker = ?, attempts = attempts + 1, started_at = ? WHERE sequence IN (SELECT sequence FROM requests"
                " WHERE state = 'Queued' AND due_at <= ? ORDER BY due_at, sequence LIMIT ?) RETURNING *",
                [now + int(1000 * lease_seconds), worker, now, now, limit],
            ).fetchall()
        names = [name for name in Claim.__slots__ if name != "attempt"]
        return [
            Claim(attempt=row["attempts"], **{name: row[name] for name in names})
            for row in sorted(rows, key=lambda row: (row["due_at"], row["sequence"]))
        ]

    def extend(self, claims: Iterable[Claim], lease_seconds: float = 15.0) -> set[str]:
        """Keep the leases for longer; returns the leases that are still held."""
        until = self.clock() + int(1000 * lease_seconds)
        held = set()
        with self.database.write(is_durable=False) as connection:
            for claim in claims:
                statement = "UPDATE requests SET lease_until = ? WHERE id = ? AND lease = ?"
                if connection.execute(statement, [until, claim.id, claim.lease]).rowcount:
                    held.add(claim.lease)
        return held

    def succeed(self, claim: Claim, written: Path, reply_type: str) -> bool:
        """Let the output that a worker wrote appear, and complete the request; False if another has its lease.

        Parameters
        ----------
        claim
            The request in hand.
        written
            The whole output under a temporary name in the folder of the output, synchronised; it is gone afterwards.
        reply_type
            The content type of the output.

        Raises
        ------
        UnavailableError
            If the output cannot be given its name; the request stays in the worker's hands.
        """
        with self.database.write(is_durable=False) as connection:  # before the output, which may be found without us
            statement = "UPDATE requests SET reply_type = ? WHERE id = ? AND lease = ?"
            is_held = connection.execute(statement, [reply_type, claim.id, claim.lease]).rowcount > 0
        if is_held:
            with self.database.write() as connection:
                row = _held(connection, claim)
                if row is not None:
                    publish(written, Path(row["output_path"]))
                    self._end(connection, row, AsyncState.COMPLETED)
                    return True
        written.unlink(missing_ok=True)
        return False

    def fail(self, claim: Claim, message: str, *, is_final: bool = False) -> AsyncState | None:
        """Note that the model failed on a request: it is tried again later, or Failed once its retries are used up.

        Returns
        -------
        AsyncState or None
            Queued or Failed, or Completed if its output is there after all; None if another has the lease.
        """
        with self.database.write() as connection:
            row = _held(connection, claim)
            if row is None:
                return None
            if Path(row["output_path"]).exists():  # it appeared, and only saying so failed
                self._end(connection, row, AsyncState.COMPLETED)
                return AsyncState.COMPLETED
            if is_final or row["attempts"] > row["retries"]:
                self._end(connection, row, AsyncState.FAILED, message)
                return AsyncState.FAILED
            wait = min(_FIRST_WAIT * 2 ** (row["attempts"] - 1), _LONGEST_WAIT)
            _requeue(connection, row, due_at=self.clock() + wait, message=message)
            return AsyncState.QUEUED

    def postpone(self, claims: Iterable[Claim], seconds: float = 0.0, message: str = "") -> None:
        """Give requests back without counting it as a try: the endpoint is busy or away, or the worker stops."""
        with self.database.write(is_durable=False) as connection:
            for claim in claims:
                if (row := _held(connection, claim)) is not None:
                    due = self.clock() + int(1000 * seconds) if seconds else row["due_at"]
                    _requeue(connection, row, due_at=due, message=message, tries_back=1)

    def release_worker(self, worker: str) -> None:
        """Let the requests of a worker that is known to be dead be due again at once."""
        with self.database.write(is_durable=False) as connection:
            self._recover(connection, self.clock(), "lease IS NOT NULL AND worker = ?", worker)

    def cancel(self, identifier: str) -> AsyncRecord:
        """Cancel a request that is not over; what a worker makes of it is thrown away.

        Raises
        ------
        NotFoundError
            If there is no such request.
        ConflictError
            If it is over.
        """
        with self.database.write() as connection:
            row = self._required(connection, identifier)
            if row["lease"] is not None and Path(row["output_path"]).exists():
                self._end(connection, row, AsyncState.COMPLETED)
                row = self._required(connection, identifier)
            if row["finished_at"] is None:
                return _record(self._end(connection, row, AsyncState.CANCELLED, "It was cancelled."))
        raise ConflictError(f"Request {identifier!r} is {row['state']}: it can no longer be cancelled.")

    def retry(self, identifier: str) -> AsyncRecord:
        """Queue a request anew that is Failed, Expired or Cancelled, with all its tries and its whole time to live.

        Raises
        ------
        NotFoundError
            If there is no such request, or its input is gone.
        ConflictError
            If it is not over, or Completed.
        """
        now = self.clock()
        with self.database.write() as connection:
            row = self._required(connection, identifier)
            if row["finished_at"] is None or row["state"] == AsyncState.COMPLETED:
                raise ConflictError(f"Request {identifier!r} is {row['state']}: only one that failed is retried.")
            if not Path(row["input_path"]).is_file():
                raise NotFoundError(f"The input {row['input_path']!r} of request {identifier!r} is gone.")
            Path(row["failure_path"]).unlink(missing_ok=True)
            changed = connection.execute(
                "UPDATE requests SET state = 'Queued', due_at = ?, expires_at = ?, attempts = 0, losses = 0,"
                " started_at = NULL, finished_at = NULL, message = '' WHERE id = ? RETURNING *",
                [now, now + 1000 * row["ttl_seconds"], identifier],
            )
            return _record(changed.fetchone())

    def expire(self) -> int:
        """Expire what waited longer than its time to live; returns how many requests that were."""
        with self.database.write() as connection:
            return self._expire(connection, self.clock())

    def get(self, identifier: str) -> AsyncRecord:
        """Return a request; NotFoundError if there is none."""
        with self.database.read() as connection:
            return _record(self._required(connection, identifier))

    def page(
        self, state: AsyncState | None = None, limit: int = 100, page_token: str | None = None
    ) -> tuple[list[AsyncRecord], str | None]:
        """Return a page of requests, the newest first, and the token of the next page."""
        validate_limit(limit)
        before = decode_page_token(page_token) or 2**62
        condition, values = ("state = ? AND", [state.value]) if state is not None else ("", [])
        statement = f"SELECT * FROM requests WHERE {condition} sequence < ? ORDER BY sequence DESC LIMIT ?"  # noqa: S608
        with self.database.read() as connection:
            rows = connection.execute(statement, [*values, before, limit + 1]).fetchall()
        token = encode_page_token(rows[limit - 1]["sequence"]) if len(rows) > limit else None
        return [_record(row) for row in rows[:limit]], token

    def metrics(self, instances: int) -> AsyncMetrics:
        """Return the queue in numbers; `instances` is how many workers answer for the endpoint."""
        with self.database.read() as connection:
            found = dict(connection.execute("SELECT state, count FROM totals").fetchall())
            oldest = connection.execute("SELECT min(created_at) FROM requests WHERE finished_at IS NULL").fetchone()[0]
            undelivered = connection.execute("SELECT count(*) FROM notifications").fetchone()[0]
        counts = {state.value: int(found.get(state, 0)) for state in AsyncState}
        backlog = counts[AsyncState.QUEUED] + counts[AsyncState.IN_PROGRESS]
        return AsyncMetrics(
            backlog,
            backlog / max(1, instances),
            max(0, self.clock() - oldest) / 1000 if oldest is not None else 0.0,
            backlog > 0 and instances == 0,
            counts,
            undelivered,
        )

    def has_work(self) -> bool:
        """Whether there is something to do now: a request that is due, expired or lost, or somebody to notify."""
        now = self.clock()
        with self.database.read() as connection:
            found = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM requests WHERE state = 'Queued' AND due_at <= :now)"
                " OR EXISTS (SELECT 1 FROM requests INDEXED BY requests_expiry"
                " WHERE state = 'Queued' AND expires_at < :now)"
                " OR EXISTS (SELECT 1 FROM requests WHERE lease IS NOT NULL AND lease_until < :now)"
                " OR EXISTS (SELECT 1 FROM notifications WHERE due_at <= :now)",
                {"now": now},
            ).fetchone()
        return bool(found[0])

    def _required(self, connection: sqlite3.Connection, identifier: str) -> sqlite3.Row:
        row = _find(connection, identifier)
        if row is None:
            raise NotFoundError(f"Endpoint {self.folder.name!r} has no asynchronous request {identifier[:80]!r}.")
        return row

    def _expire(self, connection: sqlite3.Connection, now: int) -> int:
        statement = (
            "SELECT * FROM requests INDEXED BY requests_expiry WHERE state = 'Queued' AND expires_at < ? LIMIT ?"
        )
        rows = connection.execute(statement, [now, _SWEEP]).fetchall()
        for row in rows:
            message = f"It waited longer than the {row['ttl_seconds']} s that it may. {row['message']}".strip()
            self._end(connection, row, AsyncState.EXPIRED, message)
        return len(rows)

    def _recover(self, connection: sqlite3.Connection, now: int, condition: str, value: object) -> None:
        """Take the leases of lost workers away: what they published is completed, the rest is due again."""
        statement = f"SELECT * FROM requests WHERE {condition} LIMIT {_SWEEP}"  # noqa: S608  # one of two conditions
        for row in connection.execute(statement, [value]).fetchall():
            with contextlib.suppress(OSError):
                temporary_output(Path(row["output_path"]), row["lease"]).unlink(missing_ok=True)
            if Path(row["output_path"]).exists():
                self._end(connection, row, AsyncState.COMPLETED)
            elif row["losses"] + 1 >= MAX_LOSSES:
                message = f"The process that sent it to the model died {MAX_LOSSES} times meanwhile."
                self._end(connection, row, AsyncState.FAILED, message)
            else:
                _requeue(connection, row, due_at=row["due_at"], message="", tries_back=1, losses=1)

    def _end(
        self, connection: sqlite3.Connection, row: sqlite3.Row, state: AsyncState, message: str = ""
    ) -> sqlite3.Row:
        now = self.clock()
        if state is AsyncState.FAILED:
            try:
                write_failure(Path(row["failure_path"]), message)
            except OSError as error:
                message += f" (The failure could not be written to {row['failure_path']!r}: {error.strerror}.)"
        elif row["attempts"] > 0:  # a failure whose worker was killed before it could say so
            with contextlib.suppress(OSError):
                Path(row["failure_path"]).unlink(missing_ok=True)
        if state is AsyncState.COMPLETED and row["owns_input"]:
            with contextlib.suppress(OSError):
                Path(row["input_path"]).unlink(missing_ok=True)
        ended: sqlite3.Row = connection.execute(
            "UPDATE requests SET state = ?, message = ?, finished_at = ?, lease = NULL, lease_until = NULL,"
            " worker = NULL WHERE sequence = ? RETURNING *",
            [state.value, message[:4000], now, row["sequence"]],
        ).fetchone()
        add_notices(connection, self.folder.name, ended, now)
        return ended


def _find(connection: sqlite3.Connection, identifier: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM requests WHERE id = ?", [identifier]).fetchone()
    return row


def _held(connection: sqlite3.Connection, claim: Claim) -> sqlite3.Row | None:
    """Return the row of a request if the claim still holds it."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM requests WHERE id = ? AND lease = ?", [claim.id, claim.lease]
    ).fetchone()
    return row


def _requeue(
    connection: sqlite3.Connection, row: sqlite3.Row, *, due_at: int, message: str, tries_back: int = 0, losses: int = 0
) -> None:
    connection.execute(
        "UPDATE requests SET state = 'Queued', lease = NULL, lease_until = NULL, worker = NULL, due_at = ?,"
        " message = ?, attempts = attempts - ?, losses = losses + ? WHERE sequence = ?",
        [due_at, message[:4000], tries_back, losses, row["sequence"]],
    )


def _record(row: sqlite3.Row) -> AsyncRecord:
    plain = {name: row[name] for name in AsyncRecord.__slots__ if not name.endswith("_location") and name != "state"}
    return AsyncRecord(
        state=AsyncState(row["state"]),
        input_location=file_uri(row["input_path"]),
        output_location=file_uri(row["output_path"]),
        failure_location=file_uri(row["failure_path"]),
        **plain,
    )
