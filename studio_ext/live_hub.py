"""One watcher for all live views of a kind, which rests while nobody listens.

A view says what it watches and the last sequence number it saw; it is told what changed since, then what changes. The
numbers belong to one `epoch`, the time that the watcher has been at work without a rest; a view that comes from
another one is asked to read everything again. What is looked at, and what is told, is decided by the rooms.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import Field

from kernel_tools.core.errors import AtelierError
from studio_ext.schema import Body, Reply

if TYPE_CHECKING:
    from studio_ext.app import StudioApp

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
KEPT_CHANGES = 5000
"""Things whose last change is remembered for those who come back."""


class TopicRequest(Body):
    """Where a view stands; what it watches is added by each kind of view."""

    epoch: str | None = Field(None, max_length=40)
    since: int = Field(0, ge=0)


class Listener:
    """One live view.

    Parameters
    ----------
    request
        What it watches.
    send
        Called with every message, in the thread of the server.
    """

    def __init__(self, request: Any, send: Callable[[Reply], None]) -> None:
        self.request = request
        self.send = send
        self.epoch: str | None = request.epoch
        self.since: int = request.since


L = TypeVar("L", bound=Listener)


@dataclass(frozen=True, slots=True)
class News:
    """What a view does not know yet: the names of what changed, the oldest change first.

    `is_first` says that the view has seen nothing of this epoch, `is_set_changed` that things came, ended or went,
    `must_reload` that more changed than is remembered.
    """

    is_first: bool
    is_set_changed: bool
    must_reload: bool
    changed: list[str]


class LiveHub(ABC, Generic[L]):
    """Tells listeners what changes.

    Parameters
    ----------
    studio
        The extension: its workspace and its threads.
    """

    def __init__(self, studio: StudioApp) -> None:
        self._studio = studio
        self._listeners: set[L] = set()
        self._task: asyncio.Task[None] | None = None
        self._epoch = ""
        self._sequence = 0
        self._set_changed = 0
        self._forgotten = 0
        self._changed: OrderedDict[str, int] = OrderedDict()

    @property
    def is_at_work(self) -> bool:
        """Whether the watcher looks."""
        return self._task is not None and not self._task.done()

    def add(self, listener: L) -> None:
        """Begin to tell a view."""
        self._listeners.add(listener)
        if not self.is_at_work:
            self._epoch, self._sequence, self._set_changed, self._forgotten = secrets.token_hex(8), 1, 1, 0
            self._changed.clear()
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, listener: L) -> None:
        """Tell a view no more."""
        self._listeners.discard(listener)

    @abstractmethod
    def make_look(self) -> Callable[[], tuple[list[str], bool]]:
        """Return what looks again and again: the names of what changed, and whether anything came, ended or went."""

    @abstractmethod
    def make_batches(self, listeners: list[L]) -> list[Reply | None]:
        """Return the message for each view, None for one that knows everything."""

    def news_for(self, listener: L, only: str | None = None) -> News | None:
        """Return what a view does not know yet, of one thing alone if `only` names it; None if that is nothing."""
        is_first = listener.epoch != self._epoch or listener.since == 0
        since = listener.since
        if not is_first and since == self._sequence:
            return None
        must_reload = listener.epoch is not None and (is_first or since < self._forgotten)
        if only:
            changed = [only] if is_first or self._changed.get(only, 0) > since else []
        else:
            changed = [] if is_first else [name for name, at in self._changed.items() if at > since]
        listener.epoch, listener.since = self._epoch, self._sequence
        return News(is_first, not is_first and self._set_changed > since, must_reload, changed)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        look: Callable[[], tuple[list[str], bool]] | None = None
        while self._listeners:
            try:
                look = look or self.make_look()
                self._note(*await loop.run_in_executor(self._studio.executor, look))
                listeners = list(self._listeners)
                batches = await loop.run_in_executor(self._studio.executor, self.make_batches, listeners)
                for listener, batch in zip(listeners, batches, strict=True):
                    if batch is not None and listener in self._listeners:
                        listener.send(batch)
            except AtelierError as error:
                logger.warning("Live views are not up to date: %s", error)
            except RuntimeError:
                return  # the server stops and takes no more work
            await asyncio.sleep(LOOK_SECONDS)

    def _note(self, names: list[str], is_set_changed: bool) -> None:
        if not names and not is_set_changed:
            return
        self._sequence += 1
        if is_set_changed:
            self._set_changed = self._sequence
        for name in names:
            self._changed[name] = self._sequence
            self._changed.move_to_end(name)
        while len(self._changed) > KEPT_CHANGES:
            _, self._forgotten = self._changed.popitem(last=False)
