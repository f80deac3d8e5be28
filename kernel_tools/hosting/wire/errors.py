"""Which error is which HTTP status, in both directions."""

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


class ModelError(AtelierError):
    """The model itself failed on data that fits its signature.

    Parameters
    ----------
    message
        The model's own words.
    original_status
        The HTTP status that the model's own server answered with; 500 for a model without one.
    """

    def __init__(self, message: str, original_status: int = 500) -> None:
        super().__init__(message)
        self.original_status = original_status


class UnauthorizedError(AtelierError):
    """A request without credentials, or with ones that do not hold."""


class MethodNotAllowedError(AtelierError):
    """A method that a path does not answer.

    Parameters
    ----------
    message
        What to tell the caller.
    allowed
        The methods that the path answers.
    """

    def __init__(self, message: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed


class NotAcceptableError(AtelierError):
    """An `Accept` header that asks for nothing that can be answered."""


class UnsupportedContentError(AtelierError):
    """A content type, or an encoding of one, that is not read."""


class OverloadedError(AtelierError):
    """More requests wait than the endpoint allows."""


STATUS_OF_ERROR: dict[type[AtelierError], int] = {
    InvalidArgumentError: 400,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    MethodNotAllowedError: 405,
    NotAcceptableError: 406,
    ConflictError: 409,
    TooLargeError: 413,
    UnsupportedContentError: 415,
    InvalidDataError: 422,
    ModelError: 424,
    OverloadedError: 429,
    UnavailableError: 503,
}

_ERROR_OF_CODE = {kind.__name__: kind for kind in STATUS_OF_ERROR}


def error_status(error: AtelierError) -> int:
    """Return the HTTP status that an error is answered with."""
    return STATUS_OF_ERROR.get(type(error), 400)


def error_headers(error: AtelierError) -> list[tuple[bytes, bytes]]:
    """Return the headers that the answer to an error needs: `Retry-After`, `Allow` or `WWW-Authenticate`."""
    if isinstance(error, OverloadedError | UnavailableError):
        return [(b"retry-after", b"1")]
    if isinstance(error, MethodNotAllowedError):
        return [(b"allow", ", ".join(error.allowed).encode())]
    return [(b"www-authenticate", b"Bearer")] if isinstance(error, UnauthorizedError) else []


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
