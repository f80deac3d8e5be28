"""What live views are told: one watcher for all of them, which rests while nobody listens.

A view says what it watches and the last sequence number it saw; it is told what changed since, then what changes. The
numbers belong to one `epoch`, the time that the watcher has been at work without a rest; a view that comes from
another one is asked to read everything again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kernel_tools.core.errors import AtelierError
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.records import RunRecord
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.run_watch import RunChanges, RunWatch
from studio_ext.schema import Body, Reply

if TYPE_CHECKING:
    from studio_ext.app import StudioApp

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
KEPT_CHANGES = 5000
"""Runs whose last change is remembered for those who come back."""
MAX_ROWS = 100
"""Rows in one message; a view that misses more is asked to read its rows again."""


class LiveRequest(Body):
    """What a view watches: the runs of some experiments, of all if none is named, or one run; and where it stands."""

    experiment: list[Annotated[str, Field(min_length=1, max_length=250)]] = Field([], max_length=100)
    run_id: str | None = Field(None, min_length=1, max_length=128)
    epoch: str | None = Field(None, max_length=40)
    since: int = Field(0, ge=0)


class LiveBatch(Reply):
    """What changed.

    Attributes
    ----------
    epoch, sequence
        Where the view stands after this message.
    runs
        Runs as they are now.
    is_set_changed
        Runs came, ended, were deleted or came back: another search may find others, or in another order.
    must_reload
        More changed than is told here.
    points
        Of a single run: the keys of metrics that got points, and the step that they reach; in the first message all.
    """

    epoch: str
    sequence: int
    runs: list[RunRecord]
    is_set_changed: bool
    must_reload: bool
    points: dict[str, int]


class Listener:
    """One live view.

    Parameters
    ----------
    request
        What it watches.
    send
        Called with every message, in the thread of the server.
    """

    def __init__(self, request: LiveRequest, send: Callable[[LiveBatch], None]) -> None:
        self.request = request
        self.send = send
        self.epoch = request.epoch
        self.since = request.since
        self._points: dict[str, tuple[int, int, float]] = {}

    def wants(self, record: RunRecord) -> bool:
        """Say whether the view shows a run."""
        wanted = self.request
        return (
            record.id == wanted.run_id
            if wanted.run_id
            else not wanted.experiment or (record.experiment in wanted.experiment)
        )

    def read_points(self, folder: RunFolder) -> dict[str, int]:
        """Return the metrics of the run that got points since the last call."""
        latest = {key: (point.step, point.timestamp, point.value) for key, point in read_latest(folder).items()}
        new = {key: place[0] for key, place in latest.items() if repr(self._points.get(key)) != repr(place)}
        self._points = latest
        return new


class LiveRuns:
    """Tells listeners about runs.

    Parameters
    ----------
    studio
        The extension: its workspace and its threads.
    """

    def __init__(self, studio: StudioApp) -> None:
        self._studio = studio
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._epoch = ""
        self._sequence = 0
        self._set_changed = 0
        self._forgotten = 0
        self._changed: OrderedDict[str, int] = OrderedDict()

    @property
    def is_at_work(self) -> bool:
        """Whether the watcher looks at runs."""
        return self._task is not None and not self._task.done()

    def add(self, listener: Listener) -> None:
        """Begin to tell a view."""
        self._listeners.add(listener)
        if not self.is_at_work:
            self._epoch, self._sequence, self._set_changed, self._forgotten = secrets.token_hex(8), 1, 1, 0
            self._changed.clear()
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, listener: Listener) -> None:
        """Tell a view no more."""
        self._listeners.discard(listener)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        watch: RunWatch | None = None
        while self._listeners:
            try:
                watch = watch or RunWatch(self._studio.open_workspace())
                changes = await loop.run_in_executor(self._studio.executor, watch.look)
                self._note(changes)
                listeners = list(self._listeners)
                batches = await loop.run_in_executor(self._studio.executor, self._make_batches, listeners)
                for listener, batch in zip(listeners, batches, strict=True):
                    if batch is not None and listener in self._listeners:
                        listener.send(batch)
            except AtelierError as error:
                logger.warning("Live views are not up to date: %s", error)
            except RuntimeError:
                return  # the server stops and takes no more work
            await asyncio.sleep(LOOK_SECONDS)

    def _note(self, changes: RunChanges) -> None:
        if not changes.run_ids and not changes.is_set_changed:
            return
        self._sequence += 1
        if changes.is_set_changed:
            self._set_changed = self._sequence
        for run_id in changes.run_ids:
            self._changed[run_id] = self._sequence
            self._changed.move_to_end(run_id)
        while len(self._changed) > KEPT_CHANGES:
            _, self._forgotten = self._changed.popitem(last=False)

    def _make_batches(self, listeners: list[Listener]) -> list[LiveBatch | None]:
        records: dict[str, RunRecord | None] = {}
        return [self._make_batch(listener, records) for listener in listeners]

    def _make_batch(self, listener: Listener, records: dict[str, RunRecord | None]) -> LiveBatch | None:
        """Return what a view does not know yet, None if it knows everything."""
        is_first = listener.epoch != self._epoch or listener.since == 0
        if not is_first and listener.since == self._sequence:
            return None
        must_reload = listener.epoch is not None and (is_first or listener.since < self._forgotten)
        is_set_changed = not is_first and self._set_changed > listener.since
        wanted = listener.request.run_id
        if wanted:
            changed = [wanted] if is_first or self._changed.get(wanted, 0) > listener.since else []
        else:
            changed = [] if is_first else [key for key, at in self._changed.items() if at > listener.since]
        shown = [
            record for key in changed[:MAX_ROWS] if (record := self._read(key, records)) and listener.wants(record)
        ]
        points = listener.read_points(RunFolder(self._studio.open_workspace(), wanted)) if wanted and changed else {}
        listener.epoch, listener.since = self._epoch, self._sequence
        if not (is_first or shown or is_set_changed or must_reload or len(changed) > MAX_ROWS):
            return None
        return LiveBatch(
            epoch=self._epoch,
            sequence=self._sequence,
            runs=shown,
            is_set_changed=is_set_changed,
            must_reload=must_reload or len(changed) > MAX_ROWS,
            points=points,
        )

    def _read(self, run_id: str, records: dict[str, RunRecord | None]) -> RunRecord | None:
        if run_id not in records:
            try:
                records[run_id] = Run(self._studio.open_workspace(), run_id).record
            except (AtelierError, OSError):
                records[run_id] = None  # removed meanwhile
        return records[run_id]
