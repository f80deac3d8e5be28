"""What a hook hangs on the user's objects: calls that can fail, be copied and be pickled without anybody noticing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import torch

_DETACHED = logging.getLogger("kernel_tools.debugger.detached")
"""What a tap becomes when the object that it hangs on is pickled: a call that does nothing, wherever it is loaded."""
_DETACHED.setLevel(logging.CRITICAL)


class Tap:
    """Calls a method of a hook; an exception in it is given to `on_error`, never to the user's code.

    Calls from other threads than the one that it was made in are ignored: replicas of a model share its taps.
    """

    def __init__(self, call: Callable[..., Any], on_error: Callable[[Exception], None]) -> None:
        self._call: Callable[..., Any] | None = call
        self._on_error = on_error
        self._thread = threading.get_ident()

    def __call__(self, *args: Any) -> None:
        """Call the hook."""
        call = self._call
        if call is None or torch.compiler.is_compiling() or threading.get_ident() != self._thread:
            return
        try:
            call(*args)
        except Exception as error:
            self._on_error(error)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A copy of a model is not watched."""
        return _DETACHED.debug

    def __reduce__(self) -> Any:
        """A model that is loaded again is not watched."""
        return getattr, (_DETACHED, "debug")

    def cut(self) -> None:
        """Do nothing from now on."""
        self._call = None
