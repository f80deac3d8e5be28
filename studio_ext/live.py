"""What live views of runs are told; how they are told is in `studio_ext.live_hub`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from kernel_tools.core.errors import AtelierError
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.records import RunRecord
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.run_watch import RunWatch
from studio_ext.live_hub import Listener, LiveHub, TopicRequest
from studio_ext.schema import Reply

MAX_ROWS = 100
"""Rows in one message; a view that misses more is asked to read its rows again."""


class LiveRequest(TopicRequest):
    """What a view watches: the runs of some experiments, of all if none is named, or one run; and where it stands."""

    experiment: list[Annotated[str, Field(min_length=1, max_length=250)]] = Field([], max_length=100)
    run_id: str | None = Field(None, min_length=1, max_length=128)


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


class RunListener(Listener):
    """One live view of runs."""

    def __init__(self, request: LiveRequest, send: Callable[[Reply], None]) -> None:
        super().__init__(request, send)
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


class LiveRuns(LiveHub[RunListener]):
    """Tells listeners about runs."""

    def make_look(self) -> Callable[[], tuple[list[str], bool]]:
        """Look at the files of runs."""
        watch = RunWatch(self._studio.open_workspace())

        def look() -> tuple[list[str], bool]:
            changes = watch.look()
            return changes.run_ids, changes.is_set_changed

        return look

    def make_batches(self, listeners: list[RunListener]) -> list[Reply | None]:
        """Return the message for each view; each run is read once."""
        records: dict[str, RunRecord | None] = {}
        return [self._make_batch(listener, records) for listener in listeners]

    def _make_batch(self, listener: RunListener, records: dict[str, RunRecord | None]) -> LiveBatch | None:
        wanted = listener.request.run_id
        news = self.news_for(listener, wanted)
        if news is None:
            return None
        shown = [
            record for key in news.changed[:MAX_ROWS] if (record := self._read(key, records)) and listener.wants(record)
        ]
        folder = RunFolder(self._studio.open_workspace(), wanted) if wanted and news.changed else None
        points = listener.read_points(folder) if folder else {}
        is_too_much = len(news.changed) > MAX_ROWS
        if not (news.is_first or shown or news.is_set_changed or news.must_reload or is_too_much):
            return None
        return LiveBatch(
            epoch=self._epoch,
            sequence=self._sequence,
            runs=shown,
            is_set_changed=news.is_set_changed,
            must_reload=news.must_reload or is_too_much,
            points=points,
        )

    def _read(self, run_id: str, records: dict[str, RunRecord | None]) -> RunRecord | None:
        if run_id not in records:
            try:
                records[run_id] = Run(self._studio.open_workspace(), run_id).record
            except (AtelierError, OSError):
                records[run_id] = None  # removed meanwhile
        return records[run_id]
