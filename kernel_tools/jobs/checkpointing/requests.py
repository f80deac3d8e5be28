"""Asking a job's checkpointer, from outside of its loop, to save at the end of the step under way."""

from __future__ import annotations

import os
from pathlib import Path

REQUEST_FILE = "checkpoint-now"


def request_checkpoint() -> bool:
    """Ask the checkpointer of the attempt that this process belongs to; returns whether there is an attempt."""
    folder = os.environ.get("ATELIER_ATTEMPT_FOLDER")
    if not folder:
        return False
    (Path(folder) / REQUEST_FILE).touch()
    return True


def take_request(folder: str | None) -> bool:
    """Whether a checkpoint was asked for since the last call."""
    if not folder:
        return False
    try:
        os.unlink(os.path.join(folder, REQUEST_FILE))
    except OSError:
        return False
    return True
