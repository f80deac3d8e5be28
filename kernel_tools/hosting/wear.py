"""When a worker is to be replaced though it still answers: it leaks memory, or its model is stuck."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel_tools.hosting.records import Limits

if TYPE_CHECKING:
    import psutil

CHECK_SECONDS = 1.0
_FACTOR = 4
_LEAST_GROWTH = 1 << 30
_log = logging.getLogger("atelier.endpoint")


def memory_limit(limits: Limits, at_first: int) -> int:
    """The bytes of memory above which a worker is replaced that has `at_first` after its first prediction."""
    return limits.max_memory_bytes or max(_FACTOR * at_first, at_first + _LEAST_GROWTH)


def watch_memory(limits: Limits, on_worn: Callable[[str], None]) -> None:
    """Wait until this process has more memory than it may, and say so; a worker does this in a thread."""
    import psutil

    process = psutil.Process()
    limit = memory_limit(limits, _memory(process))
    while (present := _memory(process)) <= limit:
        time.sleep(CHECK_SECONDS)
    reason = f"It has {present / 1e6:,.0f} MB of memory, more than {limit / 1e6:,.0f} MB."
    _log.warning("This worker is to be replaced. %s", reason)
    on_worn(reason)


def _memory(process: psutil.Process) -> int:
    """Bytes of a process and of what it started: the model's own code or program may run beside it."""
    import psutil

    total: int = process.memory_info().rss
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            total += child.memory_info().rss
    return total
