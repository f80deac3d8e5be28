"""The errors that Atelier raises on purpose; what they mean to a web client is decided in `studio_ext`.

Every message names the thing, says why it was refused, and says what to do.
"""


class AtelierError(Exception):
    """Base class of every error that Atelier raises on purpose.

    Attributes
    ----------
    field
        Which field of a form the fault is in, where that is known.
    """

    field: str | None = None


class InvalidArgumentError(AtelierError, ValueError):
    """A name, path, option or filter that cannot be used as given.

    Attributes
    ----------
    position
        Where in a filter the fault is, from 1; None for anything else.
    """

    def __init__(self, *args: object, position: int | None = None) -> None:
        super().__init__(*args)
        self.position = position


class NotFoundError(AtelierError, LookupError):
    """A run, model, version, endpoint or file that does not exist."""


class ConflictError(AtelierError):
    """A request that the present state of the thing does not allow."""


class TooLargeError(AtelierError):
    """A body, file or batch above its documented limit."""


class InvalidDataError(AtelierError, ValueError):
    """Data that does not fit its schema; the message names row and column."""


class IntegrityError(AtelierError):
    """Stored bytes that are not the bytes that were written."""


class UnavailableError(AtelierError):
    """A process or service that should answer and does not."""


class ForbiddenError(AtelierError):
    """An action that is refused for safety or that the caller's role does not allow."""


class MissingExtraError(AtelierError, ImportError):
    """An optional library that is not installed.

    Parameters
    ----------
    library
        The import that failed.
    extra
        The extra of the distribution that brings it.
    """

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"{library} is not installed. Install it with: pip install 'jupyter-atelier[{extra}]'")
