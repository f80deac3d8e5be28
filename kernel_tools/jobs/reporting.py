"""What code inside a job says and asks: how far it is, whether it will be interrupted, which job it is.

Standard library only: it is imported by user code whose start should not wait.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

_REPORT_INTERVAL = 0.2
_last_report = 0.0


def current_job() -> str | None:
    """Return the name of the job that this process belongs to, None outside of a job."""
    return os.environ.get("ATELIER_JOB") or None


def progress(done: float, total: float | None = None, description: str = "") -> None:
    """Say how far the job is; shown in the panel. Outside of a job nothing happens.

    Parameters
    ----------
    done, total
        How much of how much; `total` is None if nobody knows.
    description
        What is being done.
    """
    global _last_report
    folder = _attempt_folder()
    moment = time.monotonic()
    if folder is None or (moment - _last_report < _REPORT_INTERVAL and done != total):
        return
    _last_report = moment
    content = {
        "done": done,
        "total": total,
        "description": description,
        "source": "job",
        "at": time.time_ns() // 1_000_000,
    }
    path = folder / "progress.json"
    temporary = path.with_name(f".progress.{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        pass  # a full disk: the work matters more than the bar


def interruption() -> float | None:
    """Return the seconds until this job is killed because its capacity is wanted elsewhere; None if it is not.

    Zero when the time is up. Save what is needed and end.
    """
    folder = _attempt_folder()
    if folder is None:
        return None
    try:
        deadline = float(json.loads((folder / "notice.json").read_bytes())["deadline"])
    except (OSError, ValueError, KeyError):
        return None
    return max(0.0, deadline / 1000 - time.time())


def _attempt_folder() -> Path | None:
    folder = os.environ.get("ATELIER_ATTEMPT_FOLDER")
    return Path(folder) if folder else None
