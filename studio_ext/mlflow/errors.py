"""The errors of MLflow's protocol: their codes, their HTTP status, and what Atelier's own errors become."""

from __future__ import annotations

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

BAD_REQUEST = "BAD_REQUEST"
DATA_LOSS = "DATA_LOSS"
ENDPOINT_NOT_FOUND = "ENDPOINT_NOT_FOUND"
INTERNAL_ERROR = "INTERNAL_ERROR"
INVALID_PARAMETER_VALUE = "INVALID_PARAMETER_VALUE"
INVALID_STATE = "INVALID_STATE"
NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
PERMISSION_DENIED = "PERMISSION_DENIED"
RESOURCE_ALREADY_EXISTS = "RESOURCE_ALREADY_EXISTS"
RESOURCE_CONFLICT = "RESOURCE_CONFLICT"
RESOURCE_DOES_NOT_EXIST = "RESOURCE_DOES_NOT_EXIST"
TEMPORARILY_UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"
UNAUTHENTICATED = "UNAUTHENTICATED"

STATUS_OF_CODE = {
    BAD_REQUEST: 400,
    INVALID_PARAMETER_VALUE: 400,
    RESOURCE_ALREADY_EXISTS: 400,
    UNAUTHENTICATED: 401,
    PERMISSION_DENIED: 403,
    ENDPOINT_NOT_FOUND: 404,
    RESOURCE_DOES_NOT_EXIST: 404,
    RESOURCE_CONFLICT: 409,
    # MLflow answers these two with 500, which its clients take for a passing failure and try again for minutes.
    DATA_LOSS: 409,
    INVALID_STATE: 409,
    INTERNAL_ERROR: 500,
    NOT_IMPLEMENTED: 501,
    TEMPORARILY_UNAVAILABLE: 503,
}

CODE_OF_ERROR: dict[type[BaseException], str] = {
    AtelierError: INVALID_PARAMETER_VALUE,
    ConflictError: RESOURCE_CONFLICT,
    ForbiddenError: PERMISSION_DENIED,
    IntegrityError: DATA_LOSS,
    InvalidArgumentError: INVALID_PARAMETER_VALUE,
    InvalidDataError: INVALID_PARAMETER_VALUE,
    MissingExtraError: NOT_IMPLEMENTED,
    NotFoundError: RESOURCE_DOES_NOT_EXIST,
    TooLargeError: INVALID_PARAMETER_VALUE,
    UnavailableError: TEMPORARILY_UNAVAILABLE,
}
"""The code of every error that Atelier raises on purpose; a subclass has the code of its nearest ancestor."""

_CODE_OF_STATUS = {400: BAD_REQUEST, 401: UNAUTHENTICATED, 403: PERMISSION_DENIED, 404: ENDPOINT_NOT_FOUND}


class MlflowError(AtelierError):
    """An error with a code of the protocol.

    Parameters
    ----------
    code
        One of the codes of this module.
    message
        What the client shows.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str) -> MlflowError:
    """Return the error for a value that cannot be used."""
    return MlflowError(INVALID_PARAMETER_VALUE, message)


def missing(message: str) -> MlflowError:
    """Return the error for a thing that does not exist."""
    return MlflowError(RESOURCE_DOES_NOT_EXIST, message)


def describe(error: BaseException | None, status: int, message: str) -> tuple[int, str, str]:
    """Say what to answer when a request failed.

    Parameters
    ----------
    error
        What was raised, if anything was.
    status
        The status that Tornado chose, used for its own errors.
    message
        What to say about an error that is not Atelier's.

    Returns
    -------
    tuple
        Status, code and message.
    """
    if isinstance(error, AtelierError):
        code = error.code if isinstance(error, MlflowError) else _code_of(type(error))
        return STATUS_OF_CODE[code], code, str(error)
    if error is None or status < 500:
        return status, _CODE_OF_STATUS.get(status, BAD_REQUEST), message
    return 500, INTERNAL_ERROR, message


def _code_of(error_type: type[BaseException]) -> str:
    return next(CODE_OF_ERROR[base] for base in error_type.__mro__ if base in CODE_OF_ERROR)
