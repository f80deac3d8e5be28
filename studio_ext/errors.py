"""What an error means to a web client: its status, its code and its message. Nothing is raised here."""

from __future__ import annotations

from http.client import responses

from tornado.web import HTTPError

from kernel_tools.core.errors import (
    AtelierError,
    ConflictError,
    ForbiddenError,
    IntegrityError,
    InvalidArgumentError,
    InvalidDataError,
    MissingExtraError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.hosting import ModelError

STATUS_OF: dict[type[BaseException], int] = {
    AtelierError: 400,
    InvalidArgumentError: 400,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    # Damaged bytes are a state of the workspace in which the request cannot be answered, not a defect of the server.
    IntegrityError: 409,
    TooLargeError: 413,
    InvalidDataError: 422,
    ModelError: 424,
    MissingExtraError: 501,
    UnavailableError: 503,
}
"""HTTP status of every error that Atelier raises on purpose; a subclass has the status of its nearest ancestor."""

_CODE_OF_STATUS = {400: "InvalidArgumentError", 403: "ForbiddenError", 404: "NotFoundError", 413: "TooLargeError"}


def status_of(error_type: type[BaseException]) -> int:
    """Return the HTTP status of an error class; 500 for one that Atelier does not raise on purpose."""
    return next((STATUS_OF[base] for base in error_type.__mro__ if base in STATUS_OF), 500)


def describe_error(error: BaseException | None, status: int) -> tuple[int, str, str]:
    """Say what to answer when a request failed.

    Parameters
    ----------
    error
        What was raised, if anything was.
    status
        The status that Tornado chose, used for its own errors.

    Returns
    -------
    tuple
        Status, code (the name of the error) and message.
    """
    if isinstance(error, AtelierError):
        return status_of(type(error)), type(error).__name__, str(error)
    if isinstance(error, HTTPError):
        reason = error.reason or responses.get(status, "Error")
        return status, _CODE_OF_STATUS.get(status, reason.replace(" ", "")), error.log_message or f"{reason}."
    if error is None:
        return status, "Error", responses.get(status, "Error")
    return (
        500,
        "InternalError",
        f"A defect in Atelier: {type(error).__name__}: {error}. The log of the Jupyter server has the traceback; "
        "please report it.",
    )
