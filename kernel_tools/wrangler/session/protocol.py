"""Messages between a session's process and who talks to it: MessagePack, each with its length in front.

A request is ``{"id", "method", "params"}``; ``{"cancel": id}`` asks to stop one. A reply is ``{"id", "result"}`` or
``{"id", "error"}``; before it may come ``{"id", "progress"}``. Bytes travel as they are.
"""

from __future__ import annotations

import struct
import threading
from typing import IO, Any

import msgspec

from kernel_tools.core import errors
from kernel_tools.core.progress import StoppedError

_LENGTH = struct.Struct(">I")


class Channel:
    """One end of a pair of pipes; sending is safe from several threads, receiving is for one."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader, self._writer = reader, writer
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message.

        Raises
        ------
        OSError
            If the other end is gone.
        """
        content = msgspec.msgpack.encode(message)
        with self._lock:
            self._writer.write(_LENGTH.pack(len(content)))
            self._writer.write(content)
            self._writer.flush()

    def receive(self) -> dict[str, Any] | None:
        """Wait for a message; None when the other end is gone."""
        head = self._reader.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        content = self._reader.read(length)
        if len(content) < length:
            return None
        message: dict[str, Any] = msgspec.msgpack.decode(content)
        return message


def error_message(error: errors.AtelierError) -> dict[str, Any]:
    """Return what travels of an error: the class that decides its status, the words, the field, the position."""
    known = next(base for base in type(error).__mro__ if base.__name__ in _KINDS)
    return {
        "kind": known.__name__,
        "message": str(error),
        "field": error.field,
        "position": getattr(error, "position", None),
    }


def error_of(message: dict[str, Any]) -> errors.AtelierError:
    """Return the error that `error_message` was given, as the nearest class that is known everywhere."""
    kind = _KINDS[message["kind"]]
    error = kind.__new__(kind)
    Exception.__init__(error, message["message"])
    error.field = message["field"]
    if isinstance(error, errors.InvalidArgumentError):
        error.position = message["position"]
    return error


_KINDS: dict[str, type[errors.AtelierError]] = {
    kind.__name__: kind
    for kind in (
        errors.AtelierError,
        errors.ConflictError,
        errors.ForbiddenError,
        errors.IntegrityError,
        errors.InvalidArgumentError,
        errors.InvalidDataError,
        errors.MissingExtraError,
        errors.NotFoundError,
        errors.TooLargeError,
        errors.UnavailableError,
        StoppedError,
    )
}
