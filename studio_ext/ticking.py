"""The tick: once a second the server submits the jobs of schedules that are due, and brings open jobs up to date, so
that a supervisor that was lost is noticed though nobody looks.

Any number of servers and ``atelier scheduler`` may do so at once. Nothing is loaded before the workspace has jobs or
schedules.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kernel_tools.core.errors import AtelierError

if TYPE_CHECKING:
    from studio_ext.app import StudioApp

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class Ticking:
    """The task that ticks.

    Parameters
    ----------
    studio
        The extension: its workspace and its threads.
    """

    def __init__(self, studio: StudioApp) -> None:
        self._studio = studio
        self._task: asyncio.Task[None] | None = None
        self._complaint = ""

    def start(self) -> None:
        """Begin to tick, in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Tick no more; a tick that is at work ends on its own."""
        if self._task is not None:
            self._task.cancel()

    def tick(self) -> None:
        """Do what is due. What goes wrong is logged, once and not every second, and does not end the ticking."""
        root = self._studio.workspace_root
        if not ((root / "schedules").is_dir() or (root / "jobs").is_dir()):
            return
        try:
            from kernel_tools import jobs
            from kernel_tools.jobs.catalog import refresh_open

            workspace = self._studio.open_workspace()
            jobs.run_due_schedules(workspace)
            refresh_open(workspace)
            self._complaint = ""
        except Exception as error:  # whatever it is, the next tick tries again
            complaint = f"{type(error).__name__}: {error}"
            if complaint != self._complaint:
                is_defect = not isinstance(error, AtelierError | OSError)
                logger.error("Schedules and open jobs were not looked after: %s", complaint, exc_info=is_defect)
            self._complaint = complaint

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                await loop.run_in_executor(self._studio.executor, self.tick)
            except RuntimeError:
                return  # the server stops and takes no more work
