"""``python -m kernel_tools.jobs.settling WORKSPACE``: bring jobs that have ended, and their runs, up to date.

Started by supervisors, which are kept too small to do so themselves. One such process works at a time; one that comes
meanwhile only says that there is more to do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kernel_tools.core.workspace import Workspace
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import try_flock
from kernel_tools.jobs.queue import queue_folder


def settle(root: Path) -> None:
    """Refresh the catalog until nobody has asked for it meanwhile."""
    workspace = Workspace(root)
    folder = queue_folder(root / "jobs")
    asked = folder / "settle"
    asked.touch()
    while asked.exists():
        lock = try_flock(folder / "settling.lock")
        if lock is None:
            return
        try:
            asked.unlink(missing_ok=True)
            catalog.refresh_open(workspace)
        finally:
            os.close(lock)


if __name__ == "__main__":
    settle(Path(sys.argv[1]))
