"""What else happens when a run starts or ends: rooms and capture register themselves here.

A hook that fails never fails the user's code: it is named in one warning and left out from then on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_tools.experiments.run import Run

Hook = Callable[["Run"], None]

STARTED: list[Hook] = []
"""Called with every run that this process has started, after it is on disk."""
ENDING: list[Hook] = []
"""Called with every run that this process ends, while it still takes points."""


def call_hooks(hooks: list[Hook], run: Run) -> None:
    """Call every hook with the run."""
    for hook in list(hooks):
        try:
            hook(run)
        except Exception as error:
            hooks.remove(hook)
            warnings.warn(
                f"{hook.__module__}.{hook.__qualname__} failed and is left out from now on: "
                f"{type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=3,
            )
