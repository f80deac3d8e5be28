"""The engine of an ASGI application: it answers every path that the worker does not answer itself."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.hosting.engines.protocol import Payload
from kernel_tools.hosting.wire.errors import ModelError

Application = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


class AsgiEngine:
    """An application in this process.

    Parameters
    ----------
    address
        ``module:attribute``, as servers of ASGI take it.
    folder
        Where the module is.

    Raises
    ------
    InvalidDataError
        If it cannot be imported.
    """

    def __init__(self, address: str, folder: Path) -> None:
        module, _, attribute = address.partition(":")
        sys.path.insert(0, str(folder))
        try:
            self.application: Application = getattr(importlib.import_module(module), attribute or "app")
        except Exception as error:
            raise InvalidDataError(
                f"The application {address!r} cannot be imported: {type(error).__name__}: {error}."
            ) from error
        if not callable(self.application):
            raise InvalidDataError(f"{address!r} is no ASGI application: it cannot be called.")

    def invoke(self, payload: Payload, accept: str) -> Payload:
        """Refuse: an application is called with its own paths."""
        raise ModelError("This endpoint is an application: call its own paths.")

    def close(self) -> None:
        """Nothing runs beside."""


def check_address(address: str) -> str:
    """Return the address of an application; InvalidArgumentError if it is none."""
    module, _, attribute = address.partition(":")
    if not all(part.isidentifier() for part in module.split(".")) or not (attribute or "app").isidentifier():
        raise InvalidArgumentError(f"app={address!r} is no address of an application: give 'module:attribute'.")
    return address
