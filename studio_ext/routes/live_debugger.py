"""The websocket of live views of what the Debugger captures and finds."""

from __future__ import annotations

from studio_ext.handlers import StudioHandler
from studio_ext.live_debugger import DebuggerListener, LiveDebugger, LiveDebuggerRequest
from studio_ext.live_socket import LiveHandler


class LiveDebuggerHandler(LiveHandler):
    """A view of a capture: it sends `LiveDebuggerRequest`, and gets `LiveDebuggerBatch`."""

    path = "/live/debugger"
    auth_resource = "experiments"
    request_type = LiveDebuggerRequest
    listener_type = DebuggerListener

    @property
    def hub(self) -> LiveDebugger:
        """What tells views about captures."""
        return self.studio.live_debugger


HANDLERS: list[type[StudioHandler]] = [LiveDebuggerHandler]
