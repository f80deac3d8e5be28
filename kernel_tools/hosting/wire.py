"""The words between an endpoint and its clients: paths, limits, and which error is which HTTP status."""

from __future__ import annotations

from kernel_tools.core.errors import (
    AtelierError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    InvalidDataError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)

PING_PATH = "/ping"
INVOCATIONS_PATH = "/invocations"
JSON_TYPE = "application/json"

MAX_BODY_BYTES = 6 * 1024 * 1024
"""The largest request body, as SageMaker has it (6,291,456 bytes)."""


class ModelError(AtelierError):
    """The model itself failed on data that fits its signature; the message holds the model's own words."""


STATUS_OF_ERROR: dict[type[AtelierError], int] = {
    InvalidArgumentError: 400,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooLargeError: 413,
    InvalidDataError: 422,
    ModelError: 424,
    UnavailableError: 503,
}

_ERROR_OF_CODE = {kind.__name__: kind for kind in STATUS_OF_ERROR}


def error_status(error: AtelierError) -> int:
    """Return the HTTP status that an error is answered with."""
    return STATUS_OF_ERROR.get(type(error), 400)


def error_body(code: str, message: str) -> dict[str, dict[str, str]]:
    """Return the JSON body of an error reply."""
    return {"error": {"code": code, "message": message}}


def error_of_reply(status: int, body: object, endpoint: str) -> AtelierError:
    """Return the error that an endpoint's reply stands for, with the endpoint's own message."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return _ERROR_OF_CODE.get(str(error.get("code")), UnavailableError)(error["message"])
    return UnavailableError(
        f"Endpoint {endpoint!r} answered with HTTP status {status} and no message. Read its log with .logs()."
    )
