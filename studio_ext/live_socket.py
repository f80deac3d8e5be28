"""The websocket of live views; what they are told is decided by a `LiveHub`."""

from __future__ import annotations

from abc import abstractmethod
from asyncio import Future
from typing import Any, ClassVar

from jupyter_server.base.websocket import WebSocketMixin
from pydantic import ValidationError
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from studio_ext.handlers import StudioHandler
from studio_ext.live_hub import Listener, LiveHub, TopicRequest
from studio_ext.schema import Reply

NOT_UNDERSTOOD = 1007
MAX_MESSAGE_BYTES = 100_000


class LiveHandler(WebSocketMixin, WebSocketHandler, StudioHandler):
    """A view that is told what changes: it sends what it watches, and gets messages until it hangs up."""

    request_type: ClassVar[type[TopicRequest]]
    listener_type: ClassVar[type[Listener]]
    _listener: Listener | None = None

    @property
    @abstractmethod
    def hub(self) -> LiveHub[Any]:
        """What tells views of this kind."""

    async def prepare(self) -> None:  # type: ignore[override]  # as in StudioHandler
        """Refuse callers that are not logged in, as every handler does."""
        await StudioHandler.prepare(self)

    @web.authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as its decorator types it
        """Open the socket for those who may read."""
        await self._authorize("read")
        await super().get(*args, **kwargs)

    @property
    def max_message_size(self) -> int:
        """The longest message that is read, in bytes."""
        return MAX_MESSAGE_BYTES

    def on_message(self, message: str | bytes) -> None:
        """Watch what the view asks for, instead of what it asked for before."""
        try:
            request = self.request_type.model_validate_json(message)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
            self.close(NOT_UNDERSTOOD, f"{problem['loc']}: {problem['msg']}"[:100])
            return
        self._leave()
        self._listener = self.listener_type(request, self._send)
        self.hub.add(self._listener)

    def on_close(self) -> None:
        """Stop telling the view."""
        self._leave()
        super().on_close()

    def _leave(self) -> None:
        if self._listener is not None:
            self.hub.remove(self._listener)
            self._listener = None

    def _send(self, batch: Reply) -> None:
        try:
            written = self.write_message(batch.model_dump_json())
        except WebSocketClosedError:
            self._leave()
        else:
            written.add_done_callback(Future.exception)  # the view hung up meanwhile, of which `on_close` is told
