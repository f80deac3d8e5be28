"""Asking a job's checkpointer, from outside of its loop, to save at the end of the step under way."""

from __future__ import annotations

import os
from pathlib import Path

from kernel_tools.jobs.supervision.companions import OF_VARIABLE
from kernel_tools.jobs.supervision.processes import MARK

REQUEST_FILE = "checkpoint-now"


def request_checkpoint() -> bool:
    """Ask the checkpointer of the attempt that this process belongs to, or lives beside; returns whether there is
    one."""
    folder = os.environ.get(MARK) or os.environ.get(OF_VARIABLE)
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
