"""The segment writers of this process: one per run, whoever holds the run, with a bounded number of open files."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict

from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.segment import SegmentWriter

MAX_OPEN = 200
"""Segments kept open at once; the one that was asked for longest ago gives way and is opened again when needed."""

_writers: OrderedDict[str, SegmentWriter] = OrderedDict()
_guard = threading.Lock()


def writer_of(folder: RunFolder) -> SegmentWriter:
    """Return this process's writer for a run; a new one has a segment of its own."""
    key = str(folder.path)
    with _guard:
        writer = _writers.get(key)
        if writer is None or writer.is_closed:
            writer = _writers[key] = SegmentWriter(folder.next_segment())
        _writers.move_to_end(key)
        while len(_writers) > MAX_OPEN:
            _, oldest = _writers.popitem(last=False)
            oldest.close()
        return writer


def close_writer(folder: RunFolder) -> None:
    """Seal this process's segment of a run, if it has one, and make it durable."""
    with _guard:
        writer = _writers.pop(str(folder.path), None)
    if writer is not None:
        writer.close(is_durable=True)


def _forget_writers() -> None:
    """In a forked child: leave the parent's segments to the parent."""
    global _guard
    _guard = threading.Lock()
    for writer in _writers.values():
        writer.abandon()
    _writers.clear()


with contextlib.suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget_writers)
