"""Reading what a job has printed: by byte offsets in the whole output, of which old parts may be gone."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kernel_tools.jobs.supervision.output import list_parts

CHUNK = 1024 * 1024
_SHORTEST_WAIT, _LONGEST_WAIT = 0.02, 0.25


def log_bounds(attempt: Path) -> tuple[int, int]:
    """Return the offsets of the first byte that is kept and of the end of the output."""
    parts = list_parts(attempt)
    if not parts:
        return 0, 0
    offset, path = parts[-1]
    return parts[0][0], offset + _size(path)


def read_log(attempt: Path, offset: int, limit: int) -> tuple[bytes, int]:
    """Return at most `limit` bytes from an offset on, or from the first byte that is kept, and the offset after
    them."""
    found = b""
    position = offset
    for start, path in list_parts(attempt):
        size = _size(path)
        if start + size <= position:
            continue
        position = max(position, start)
        try:
            with path.open("rb") as file:
                file.seek(position - start)
                piece = file.read(limit - len(found))
        except FileNotFoundError:
            continue  # thrown away meanwhile
        found += piece
        position += len(piece)
        if len(found) >= limit:
            break
    return found, position


def read_tail(attempt: Path, lines: int) -> str:
    """Return the last lines of the output."""
    first, end = log_bounds(attempt)
    size = min(end - first, max(4096, 400 * lines))
    while True:
        content, _ = read_log(attempt, end - size, size)
        if content.count(b"\n") > lines or size >= end - first:
            return "\n".join(content.decode("utf-8", "replace").splitlines()[-lines:])
        size = min(end - first, size * 4)


def follow_log(attempt: Path, has_ended: Callable[[], bool]) -> Iterator[str]:
    """Yield the lines of the output as they are printed, until the attempt has ended and all was read."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    offset, rest, wait = 0, "", _SHORTEST_WAIT
    while True:
        is_last = has_ended()
        content, offset = read_log(attempt, offset, CHUNK)
        rest += decoder.decode(content)
        *lines, rest = rest.split("\n")
        yield from (line.removesuffix("\r") for line in lines)
        if content:
            wait = _SHORTEST_WAIT
        elif is_last:
            if rest:
                yield rest
            return
        else:
            time.sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 1.5)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
