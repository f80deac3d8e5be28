"""Processes that live beside a workload, such as one that evaluates the Debugger's rules. Standard library only.

They are no part of the job: what they use is not counted, and their end, however it comes, changes nothing.
"""

from __future__ import annotations

import os
import signal
import time

from kernel_tools.jobs.supervision.processes import MARK, send

PATIENCE = 10.0
"""Seconds that they have to end after they were told to."""
OF_VARIABLE = "ATELIER_COMPANION_OF"
"""The attempt's folder; the mark of the attempt's own processes is empty in theirs."""


def start_companions(commands: list[list[str]]) -> list[int]:
    """Start the commands and return their pids; one that cannot be started says so in the supervisor's log."""
    environment = {
        **os.environ,
        OF_VARIABLE: os.environ.get(MARK, ""),
        MARK: "",
        "ATELIER_SUPERVISOR": str(os.getpid()),
    }
    started: list[int] = []
    for command in commands:
        try:
            started.append(os.posix_spawn(command[0], command, environment))
        except OSError as error:
            os.write(2, f"{' '.join(command)} could not be started: {error}\n".encode())
    return started


def end_companions(pids: list[int]) -> None:
    """Tell them to end, and kill those that do not."""
    for pid in pids:
        send(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    left = set(pids)
    while left:
        for pid in list(left):
            try:
                found, _ = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                found = pid  # collected already
            if found:
                left.discard(pid)
        if time.monotonic() > deadline:
            for pid in left:
                send(pid, signal.SIGKILL)
        if left:
            time.sleep(0.02)
