"""Watched runs for the UI tests: one that goes wrong, one to compare it with, one that is broken, one that goes on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import kernel_tools as kt
from kernel_tools.core.workspace import current_workspace
from kernel_tools.debugger.session import debugger_folder

sys.path.insert(0, str(Path(__file__).parent.parent))

from scripts.recorded_profile import write_machine, write_trace
from scripts.recorded_run import write_capture, write_recorded_run


def seed_watched_runs() -> list[Any]:
    """Write the captures; returns the runs, of which the last goes on."""
    found = []
    for name in ("small-cnn", "small-cnn-slower", "broken-capture", "still-training"):
        run = kt.experiments.start_run("vision", name=name, params={"lr": 0.05})
        folder = debugger_folder(current_workspace(), run.id)
        if name == "small-cnn":
            write_recorded_run(folder)
            write_machine(folder)
            write_trace(folder)
        elif name == "small-cnn-slower":
            write_capture(folder, seed=1)
        elif name == "still-training":
            write_capture(folder, seed=2, is_closed=False)
        else:
            folder.mkdir(parents=True)
            (folder / "rank-0.db").write_bytes(b"this is no database" * 100)
        if name != "still-training":
            run.finish()
        found.append(run)
    return found
