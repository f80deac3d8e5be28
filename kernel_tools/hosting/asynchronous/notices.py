"""What is said about a request that is over: SageMaker's message, one row for each target, in the queue's database.

The rows are written with the change of state that they tell of, so that none is lost; `delivery.py` sends them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from kernel_tools.hosting.asynchronous.database import QueueDatabase
from kernel_tools.hosting.asynchronous.records import AsyncState, Notify


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification that is to be delivered to one target: `message` is JSON."""

    id: int
    target: str
    message: str
    attempts: int


def add_notices(connection: sqlite3.Connection, endpoint: str, row: sqlite3.Row, now: int) -> None:
    """Write the notifications about a request that is Completed, Failed or Expired, as its row now says."""
    notify = msgspec.json.decode(row["notify"], type=Notify)
    state = AsyncState(row["state"])
    targets = {AsyncState.COMPLETED: notify.success, AsyncState.CANCELLED: ()}.get(state, notify.error)
    if targets:
        message = msgspec.json.encode(result_message(endpoint, row, now)).decode()
        connection.executemany(
            "INSERT INTO notifications (target, message, created_at, due_at) VALUES (?, ?, ?, ?)",
            [(target, message, now, now) for target in targets],
        )


def next_notices(database: QueueDatabase, now: int, limit: int, lease_seconds: float) -> list[Notice]:
    """Take notifications that are due; one that is not settled before the lease ends is due again."""
    with database.write(is_durable=False) as connection:
        rows = connection.execute(
            "UPDATE notifications SET attempts = attempts + 1, due_at = ? WHERE id IN (SELECT id FROM notifications"
            " WHERE due_at <= ? ORDER BY due_at LIMIT ?) RETURNING id, target, message, attempts",
            [now + int(1000 * lease_seconds), now, limit],
        ).fetchall()
    return [Notice(**dict(row)) for row in rows]


def settle_notice(database: QueueDatabase, notice: Notice, error: str = "", due_at: int | None = None) -> None:
    """Forget a notification that was delivered; keep one that was not, to be tried again at a time, or never."""
    with database.write(is_durable=False) as connection:
        if not error:
            connection.execute("DELETE FROM notifications WHERE id = ?", [notice.id])
        else:
            statement = "UPDATE notifications SET due_at = ?, error = ? WHERE id = ?"
            connection.execute(statement, [due_at, error[:1000], notice.id])


def result_message(endpoint: str, row: sqlite3.Row, now: int) -> dict[str, object]:
    """Return the message that SageMaker sends about an asynchronous inference."""
    state = AsyncState(row["state"])
    message: dict[str, object] = {
        "awsRegion": "local",
        "eventTime": _iso(now),
        "receivedTime": _iso(row["created_at"]),
        "invocationStatus": state.value,
        "requestParameters": {
            "accept": row["accept"],
            "contentType": row["content_type"],
            "customAttributes": row["custom_attributes"],
            "endpointName": endpoint,
            "inputLocation": file_uri(row["input_path"]),
        },
        "inferenceId": row["id"],
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if state is AsyncState.COMPLETED:
        output = {"contentType": row["reply_type"], "outputLocation": file_uri(row["output_path"])}
        return message | {"responseParameters": output}
    failed = {"failureReason": row["message"]}
    if state is AsyncState.FAILED:
        return message | failed | {"responseParameters": {"failureLocation": file_uri(row["failure_path"])}}
    return message | failed


def file_uri(path: str) -> str:
    """Return the ``file://`` URI of an absolute path."""
    return "file://" + quote(path)


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
