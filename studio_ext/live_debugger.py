"""What live views of the Debugger are told: that something was captured or found; how is in `studio_ext.live_hub`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from kernel_tools.core.errors import AtelierError
from kernel_tools.debugger.finding import FILE
from kernel_tools.debugger.session import debugger_folder
from studio_ext.live_hub import Listener, LiveHub, TopicRequest
from studio_ext.schema import Reply

Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of the last change in nanoseconds and size of each file."""


class LiveDebuggerRequest(TopicRequest):
    """What a view watches: the capture of one run."""

    run_id: str = Field(min_length=1, max_length=128)


class LiveDebuggerBatch(Reply):
    """What changed: rules have written what they found, or steps were captured."""

    epoch: str
    sequence: int
    has_findings: bool
    has_steps: bool


class DebuggerListener(Listener):
    """One live view of a capture."""

    found: Stamp | None = None
    captured: Stamp | None = None


class LiveDebugger(LiveHub[DebuggerListener]):
    """Tells listeners about captures."""

    def make_look(self) -> Callable[[], tuple[list[str], bool]]:
        """Look at the files of the runs that are listened to."""
        known: dict[str, tuple[Stamp, Stamp]] = {}

        def look() -> tuple[list[str], bool]:
            wanted = {listener.request.run_id for listener in tuple(self._listeners)}
            stamps = {run_id: self._read(run_id) for run_id in wanted}
            changed = [run_id for run_id, stamp in stamps.items() if known.get(run_id) != stamp]
            known.clear()
            known.update(stamps)
            return changed, False

        return look

    def make_batches(self, listeners: list[DebuggerListener]) -> list[Reply | None]:
        """Return the message for each view."""
        return [self._make_batch(listener) for listener in listeners]

    def _make_batch(self, listener: DebuggerListener) -> LiveDebuggerBatch | None:
        news = self.news_for(listener, listener.request.run_id)
        if news is None or not (news.is_first or news.changed):
            return None
        found, captured = self._read(listener.request.run_id)
        has_findings, has_steps = found != listener.found, captured != listener.captured
        listener.found, listener.captured = found, captured
        return LiveDebuggerBatch(
            epoch=self._epoch, sequence=self._sequence, has_findings=has_findings, has_steps=has_steps
        )

    def _read(self, run_id: str) -> tuple[Stamp, Stamp]:
        try:
            folder = debugger_folder(self._studio.open_workspace(), run_id)
        except AtelierError:  # it is no run's id
            return (), ()
        return _stamp([folder / FILE]), _stamp(sorted(folder.glob("rank-*.db*")))


def _stamp(paths: list[Path]) -> Stamp:
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue  # not there yet, or not any more
        found.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(found)
