"""A job's log by pages of whole lines, and where a text occurs in it. Offsets are bytes of the whole output.

A log may hold more than anybody wants in memory: what is read at once is bounded, also when it is searched.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kernel_tools.jobs.logs import log_bounds, read_log
from kernel_tools.jobs.supervision.output import list_parts

MAX_PAGE = 256 * 1024
"""Bytes of one page."""
MAX_FOUND = 1000
_BLOCK = 1024 * 1024
_ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of a log.

    Attributes
    ----------
    start, end
        The offsets of the first byte of the page, and of the byte after it.
    first, size
        The offset of the first byte that is kept, and of the end of the log.
    lines, offsets
        The lines without their ends, and where they begin.
    is_open
        Whether the last line goes on after `end`.
    """

    start: int
    end: int
    first: int
    size: int
    lines: list[str]
    offsets: list[int]
    is_open: bool


@dataclass(frozen=True, slots=True)
class LogMatches:
    """The offsets of lines that hold a text, in the order in which they were looked for; not all if not
    `is_complete`."""

    offsets: list[int]
    is_complete: bool


def read_page(attempt: Path, limit: int = MAX_PAGE, *, offset: int) -> LogPage:
    """Return the lines from an offset on; they begin there, so it should be where a line begins.

    Parameters
    ----------
    attempt
        The folder of an attempt, or a log that is a file.
    limit
        Bytes; a line that is longer is cut, and goes on in the next page.
    offset
        Where to begin; if that is no longer kept, the page begins with what is.
    """
    first, size = log_bounds(attempt)
    offset = min(max(offset, first), size)
    content, end = read_log(attempt, offset, limit)
    start = end - len(content)
    if end < size:
        kept = content.rfind(b"\n") + 1 or _whole_characters(content)
        content, end = content[:kept], start + kept
    return _page(content, start, first, size)


def read_page_before(attempt: Path, limit: int = MAX_PAGE, *, before: int | None = None) -> LogPage:
    """Return the last lines before an offset, None for the end of the log."""
    first, size = log_bounds(attempt)
    stop = size if before is None else min(max(before, first), size)
    offset = max(first, stop - limit)
    content = _read_range(attempt, offset, stop)
    if offset > first:
        cut = content.find(b"\n", 0, -1) + 1 or _continuation(content)
        content, offset = content[cut:], offset + cut
    return _page(content, offset, first, size)


def read_page_near(attempt: Path, limit: int = MAX_PAGE, *, near: int) -> LogPage:
    """Return the lines from the one on that an offset lies in."""
    first, size = log_bounds(attempt)
    near = min(max(near, first), size)
    back = _read_range(attempt, max(first, near - limit), near)
    begins = back.rfind(b"\n") + 1
    is_whole = begins > 0 or near - len(back) == first
    return read_page(attempt, limit, offset=near - len(back) + begins if is_whole else near)


def search_log(
    attempt: Path, text: str, *, offset: int = 0, is_backwards: bool = False, limit: int = MAX_FOUND
) -> LogMatches:
    """Find lines that hold a text, in any case; colours are not looked at.

    Parameters
    ----------
    attempt
        The folder of an attempt, or a log that is a file.
    text
        What to look for.
    offset
        Lines that begin there or later; backwards, lines that begin before it, the last first.
    is_backwards
        Whether to look from the offset to the beginning.
    limit
        How many lines are found at most.
    """
    first, size = log_bounds(attempt)
    place = min(max(offset, first), size)
    found: list[int] = []
    blocks = _blocks_backwards(attempt, first, place) if is_backwards else _blocks(attempt, place, size)
    for start, block in blocks:
        matches = _matches(block, text)
        for match in reversed(matches) if is_backwards else matches:
            if len(found) == limit:
                return LogMatches(found, False)
            found.append(start + match)
    return LogMatches(found, True)


class WholeLog(io.RawIOBase):
    """A log as one file of the length that it has now; parts that are thrown away meanwhile stay readable."""

    def __init__(self, attempt: Path) -> None:
        super().__init__()
        self._files = []
        for _, path in list_parts(attempt):
            try:
                self._files.append(path.open("rb"))
            except FileNotFoundError:
                continue
        self.size = sum(file.seek(0, io.SEEK_END) for file in self._files)
        for file in self._files:
            file.seek(0)
        self._left = self.size

    def readable(self) -> bool:
        """Say yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, nothing at the end."""
        wanted = self._left if size < 0 else min(size, self._left)
        content = b""
        while self._files and not content and wanted:
            content = self._files[0].read(wanted)
            if not content:
                self._files.pop(0).close()
        self._left -= len(content)
        return content

    def close(self) -> None:
        """Close the parts."""
        for file in self._files:
            file.close()
        super().close()


def _page(content: bytes, start: int, first: int, size: int) -> LogPage:
    is_open = bool(content) and not content.endswith(b"\n")
    pieces = content.split(b"\n")
    if not is_open:
        pieces.pop()
    offsets, position = [], start
    for piece in pieces:
        offsets.append(position)
        position += len(piece) + 1
    lines = [piece.decode("utf-8", "replace") for piece in pieces]
    return LogPage(start, start + len(content), first, size, lines, offsets, is_open)


def _read_range(attempt: Path, start: int, stop: int) -> bytes:
    content, end = read_log(attempt, start, stop - start) if stop > start else (b"", start)
    return content[: len(content) - max(0, end - stop)]


def _whole_characters(content: bytes) -> int:
    """Return how many bytes hold whole characters of UTF-8; all if what follows would be none."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if byte & 0xC0 != 0x80:
            length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return len(content) - back if length > back and len(content) > back else len(content)
    return len(content)


def _continuation(content: bytes) -> int:
    """Return how many bytes at the beginning go on with a character that began before."""
    return next((place for place in range(min(4, len(content))) if content[place] & 0xC0 != 0x80), 0)


def _blocks(attempt: Path, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Yield blocks of whole lines with their offsets."""
    rest = b""
    position = start
    while position < stop:
        content, end = read_log(attempt, position, min(_BLOCK, stop - position))
        if not content:
            break
        if end - len(content) != position:
            rest = b""  # what came before was thrown away
        block = rest + content
        cut = block.rfind(b"\n") + 1 if len(block) < 2 * _BLOCK else len(block)
        if cut:
            yield end - len(block), block[:cut]
        rest, position = block[cut:], end
    if rest:
        yield position - len(rest), rest


def _blocks_backwards(attempt: Path, first: int, stop: int) -> Iterator[tuple[int, bytes]]:
    while stop > first:
        page = read_page_before(attempt, _BLOCK, before=stop)
        if page.start >= stop:
            return
        yield page.start, _read_range(attempt, page.start, stop)
        stop = page.start


def _matches(block: bytes, text: str) -> list[int]:
    """Return where the lines of a block begin that hold a text."""
    if text.isascii():
        return _find_colored(block, text) if b"\x1b" in block else _find_plain(block.lower(), text.lower().encode())
    wanted = text.casefold()
    found, position = [], 0
    for line in block.split(b"\n"):
        if wanted in _ANSI.sub(b"", line).decode("utf-8", "replace").casefold():
            found.append(position)
        position += len(line) + 1
    return found


def _find_colored(block: bytes, text: str) -> list[int]:
    """Return where the lines begin that hold a text of ASCII, which colours may stand within."""
    pattern, wanted = _colored_pattern(text), text.lower().encode()
    found, match = [], pattern.search(block)
    while match is not None:
        start, end = block.rfind(b"\n", 0, match.start()) + 1, block.find(b"\n", match.start())
        line = block[start:end] if end >= 0 else block[start:]
        if wanted in _ANSI.sub(b"", line).lower():  # it may have been found in the colours themselves
            found.append(start)
        match = pattern.search(block, end) if end >= 0 else None
    return found


@functools.lru_cache(maxsize=8)
def _colored_pattern(text: str) -> re.Pattern[bytes]:
    between = b"(?:" + _ANSI.pattern + b")*"
    return re.compile(between.join(re.escape(letter.encode()) for letter in text), re.IGNORECASE)


def _find_plain(block: bytes, wanted: bytes) -> list[int]:
    found, position = [], block.find(wanted)
    while position >= 0:
        found.append(block.rfind(b"\n", 0, position) + 1)
        end = block.find(b"\n", position)
        position = block.find(wanted, end) if end >= 0 else -1
    return found
