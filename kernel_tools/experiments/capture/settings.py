"""What `autolog` was asked to record: for the whole process, or only for the code that a notebook cell runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from kernel_tools.core.workspace import Workspace

LIBRARIES = ("sklearn", "xgboost", "lightgbm")
DEFAULT_EXPERIMENT = "Default"
MAX_TRAINING_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class AutologSettings:
    """The arguments of `autolog`, which documents them."""

    experiment: str = DEFAULT_EXPERIMENT
    libraries: tuple[str, ...] = LIBRARIES
    has_training_metrics: bool = True
    max_training_rows: int = MAX_TRAINING_ROWS
    keeps_models: bool = False
    workspace: Workspace | None = None


_LOCAL: ContextVar[AutologSettings | None] = ContextVar("atelier_autolog", default=None)
_process: AutologSettings | None = None


def current_settings() -> AutologSettings | None:
    """Return the settings for the calling code; None if nothing is to be recorded."""
    return _LOCAL.get() or _process


def process_settings() -> AutologSettings | None:
    """Return the settings of the whole process."""
    return _process


def set_process_settings(settings: AutologSettings | None) -> None:
    """Change the settings of the whole process."""
    global _process
    _process = settings


@contextmanager
def local_settings(settings: AutologSettings) -> Iterator[None]:
    """Use these settings for the code inside the ``with`` block only."""
    token = _LOCAL.set(settings)
    try:
        yield
    finally:
        _LOCAL.reset(token)
