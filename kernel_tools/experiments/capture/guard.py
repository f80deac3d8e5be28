"""The promise of capture: it never fails the code that it watches."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGER = logging.getLogger("atelier.capture")
_WARNED: set[str] = set()
_LOCK = threading.Lock()


class CaptureWarning(UserWarning):
    """Something was not recorded; the code that was watched is not affected."""


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Run a step of capture; if it fails, say once in this process that `what` is missing, and go on."""
    try:
        yield
    except Exception as error:
        warn_once(what, f"{type(error).__name__}: {error}")


def warn_once(what: str, reason: str) -> None:
    """Warn that `what` was not recorded, the first time that this happens in this process."""
    with _LOCK:
        if what in _WARNED:
            return
        _WARNED.add(what)
    message = f"Atelier could not record {what} ({reason}). Your code is not affected; this is said once."
    try:
        warnings.warn(message, CaptureWarning, stacklevel=3)
    except Warning:  # warnings are errors here, and a warning of ours must not be one
        _LOGGER.warning(message)


def forget_warnings() -> None:
    """Let every warning be given once more."""
    with _LOCK:
        _WARNED.clear()
