"""What a workload prints: kept in parts of bounded size, each named by the offset of its first byte in the whole, so
that a reader who has read up to some byte goes on there, whatever was thrown away meanwhile."""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path

PART_BYTES = 16 * 1024 * 1024
KEPT_PARTS = 8
"""The newest parts that are kept; older output is thrown away, which a reader is told."""
TAIL_BYTES = 8192
_BAR = re.compile(
    rb"(?:^|[\r\n])\s*(?:([^\r\n%|]{1,200}):\s+)?\d{1,3}%\|[^|\r\n]*\|\s*([\d.]+)([kMGT]?)/([\d.]+)([kMGT]?)\s*\["
)
_SCALE = {b"": 1.0, b"k": 1e3, b"M": 1e6, b"G": 1e9, b"T": 1e12}


def part_name(offset: int) -> str:
    """Return the file name of the part that begins at an offset."""
    return f"log-{offset:015d}.txt"


def list_parts(folder: Path) -> list[tuple[int, Path]]:
    """Return the parts of a log and the offsets that they begin at, the oldest first; a log that is a file is one."""
    if folder.is_file():
        return [(0, folder)]
    return sorted((int(path.stem[4:]), path) for path in folder.glob("log-*.txt"))


class OutputWriter:
    """Writes the log of one attempt."""

    def __init__(self, folder: Path, part_bytes: int = PART_BYTES, kept: int = KEPT_PARTS) -> None:
        self._folder = folder
        self._part_bytes = part_bytes
        self._kept = kept
        self._descriptor = -1
        self._offset = 0
        self._part_end = 0
        self.tail = b""

    def write(self, chunk: bytes) -> None:
        """Append output. A full disk loses it, but never the job."""
        self.tail = (self.tail + chunk)[-TAIL_BYTES:]
        view = memoryview(chunk)
        while view:
            if self._offset >= self._part_end and not self._next_part():
                self._offset += len(view)
                return
            room = min(len(view), self._part_end - self._offset)
            try:
                written = os.write(self._descriptor, view[:room])
            except OSError:
                self._part_end = self._offset = self._offset + len(view)
                return
            self._offset += written
            view = view[written:]

    def close(self) -> None:
        """Close the newest part."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def progress(self) -> dict[str, object] | None:
        """Return what the newest tqdm bar in the output says, if there is one."""
        found = deque(_BAR.finditer(self.tail), maxlen=1)
        if not found:
            return None
        bar = found[0]
        description = (bar[1] or b"").decode("utf-8", "replace").strip()
        done, total = float(bar[2]) * _SCALE[bar[3]], float(bar[4]) * _SCALE[bar[5]]
        return {"done": done, "total": total, "description": description, "source": "tqdm"}

    def last_lines(self, count: int = 20) -> str:
        """Return the last lines of the output as text; of a line that was drawn over, what stands there at the end."""
        lines = [line.rpartition(b"\r")[2] for line in self.tail.rstrip().replace(b"\r\n", b"\n").split(b"\n")]
        return b"\n".join(lines[-count:]).decode("utf-8", "replace")

    def _next_part(self) -> bool:
        self.close()
        try:
            path = self._folder / part_name(self._offset)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        except OSError:
            return False
        self._part_end = self._offset + self._part_bytes
        for _, path in list_parts(self._folder)[: -self._kept]:
            path.unlink(missing_ok=True)
        return True
