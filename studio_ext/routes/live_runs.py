"""The websocket of live views of runs."""

from __future__ import annotations

from studio_ext.handlers import StudioHandler
from studio_ext.live import LiveRequest, LiveRuns, RunListener
from studio_ext.live_socket import LiveHandler


class LiveRunsHandler(LiveHandler):
    """A view of runs: it sends `LiveRequest`, and gets `LiveBatch`."""

    path = "/live/runs"
    auth_resource = "experiments"
    request_type = LiveRequest
    listener_type = RunListener

    @property
    def hub(self) -> LiveRuns:
        """What tells views about runs."""
        return self.studio.live_runs


HANDLERS: list[type[StudioHandler]] = [LiveRunsHandler]
