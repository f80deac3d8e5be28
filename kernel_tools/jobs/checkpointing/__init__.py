"""Checkpoints of training loops, saved and restored in a line, so that an interrupted job goes on where it was.

>>> from kernel_tools.jobs import checkpointing
>>> loop = checkpointing.Checkpointer(model=model, optimizer=optimizer)          # doctest: +SKIP
>>> for epoch, index, (x, y) in loop.batches(loader, epochs=10):                 # doctest: +SKIP
...     ...
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernel_tools.jobs.checkpointing.boosting import train_lightgbm, train_xgboost
    from kernel_tools.jobs.checkpointing.estimators import partial_fit
    from kernel_tools.jobs.checkpointing.folders import latest_folder
    from kernel_tools.jobs.checkpointing.loop import Checkpointer
    from kernel_tools.jobs.checkpointing.store import CheckpointStore

_LAZY = {
    "CheckpointStore": "store",
    "Checkpointer": "loop",
    "latest_folder": "folders",
    "partial_fit": "estimators",
    "train_lightgbm": "boosting",
    "train_xgboost": "boosting",
}
__all__ = ["CheckpointStore", "Checkpointer", "latest_folder", "partial_fit", "train_lightgbm", "train_xgboost"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
