"""The words between an endpoint and its clients, as pure functions: bytes and headers in, rows out, and back again.

There are no sockets here, and importing this loads no pandas: a worker of a compiled model stays small.
"""

from __future__ import annotations

from kernel_tools.hosting.wire.errors import (
    STATUS_OF_ERROR,
    MethodNotAllowedError,
    ModelError,
    NotAcceptableError,
    OverloadedError,
    UnauthorizedError,
    UnsupportedContentError,
    error_body,
    error_headers,
    error_of_reply,
    error_status,
)

__all__ = [
    "INVOCATIONS_PATH",
    "JSON_TYPE",
    "MAX_BODY_BYTES",
    "MAX_WAITING",
    "PING_PATH",
    "STATUS_OF_ERROR",
    "MethodNotAllowedError",
    "ModelError",
    "NotAcceptableError",
    "OverloadedError",
    "UnauthorizedError",
    "UnsupportedContentError",
    "error_body",
    "error_headers",
    "error_of_reply",
    "error_status",
]

PING_PATH = "/ping"
INVOCATIONS_PATH = "/invocations"
JSON_TYPE = "application/json"

MAX_BODY_BYTES = 6 * 1024 * 1024
"""The largest request body, as SageMaker has it (6,291,456 bytes)."""

MAX_WAITING = 64
"""Requests that may wait for the model before further ones are answered 429."""
