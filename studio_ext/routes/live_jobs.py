"""The websocket of live views of jobs."""

from __future__ import annotations

from studio_ext.handlers import StudioHandler
from studio_ext.live_jobs import JobListener, LiveJobs, LiveJobsRequest
from studio_ext.live_socket import LiveHandler


class LiveJobsHandler(LiveHandler):
    """A view of jobs: it sends `LiveJobsRequest`, and gets `LiveJobsBatch`."""

    path = "/live/jobs"
    auth_resource = "jobs"
    request_type = LiveJobsRequest
    listener_type = JobListener

    @property
    def hub(self) -> LiveJobs:
        """What tells views about jobs."""
        return self.studio.live_jobs


HANDLERS: list[type[StudioHandler]] = [LiveJobsHandler]
