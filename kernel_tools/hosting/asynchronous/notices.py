"""What is said about a request that is over: SageMaker's message, one row for each target, in the queue's database.

The rows are written with the change of state that they tell of, so that none is lost; `delivery.py` sends them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

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
    from urllib.parse import quote

    return "file://" + quote(path)


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
