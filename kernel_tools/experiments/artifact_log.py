"""`artifacts.jsonl` of a run: a line for every file that it kept or deleted, so that keeping one more costs one line.

The first line is the header. What follows the last line break was torn off by a crash before it was acknowledged, and
is dropped. Whoever appends holds the run's lock; readers need none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import msgspec

from kernel_tools.core.errors import IntegrityError
from kernel_tools.core.workspace import atomic_write, sync_folder
from kernel_tools.experiments.records import ArtifactRecord

LOG_VERSION = 1
MIN_COMPACTED_BYTES = 1 << 20
"""A log is written anew when it is larger than this and has doubled since it was last."""


class Header(msgspec.Struct):
    """The first line: the format's version, and the size in bytes when the log was written anew."""

    version: int
    size: int = 0


class Deletion(msgspec.Struct, forbid_unknown_fields=True):
    """A line that takes away the file of this path, or everything below it."""

    deleted: str


Line = ArtifactRecord | Deletion

_encode = msgspec.json.Encoder().encode
_read_header = msgspec.json.Decoder(Header).decode
_read_record = msgspec.json.Decoder(ArtifactRecord).decode
_read_deletion = msgspec.json.Decoder(Deletion).decode


class ArtifactLog:
    """The log of one run; the file appears with the first line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def replay(self, first: Iterable[ArtifactRecord]) -> list[ArtifactRecord]:
        """Return what is there after every line has been applied to the artifacts that the run had at first.

        Raises
        ------
        IntegrityError
            If a line is not what Atelier wrote, or a newer version wrote it.
        """
        found = {record.path: record for record in first}
        for line in self._read():
            if isinstance(line, ArtifactRecord):
                found.pop(line.path, None)
                found[line.path] = line
            else:
                for path in [path for path in found if is_at_or_below(path, line.deleted)]:
                    del found[path]
        return list(found.values())

    def append(self, lines: Sequence[Line]) -> None:
        """Add lines by one write and make them durable; a disk error leaves the log as it was."""
        content = b"".join(_encode(line) + b"\n" for line in lines)
        is_new = not self.path.exists()
        with self.path.open("w+b" if is_new else "r+b", buffering=0) as file:
            size = _whole_size(file)
            if size == 0:
                content = _encode(Header(LOG_VERSION)) + b"\n" + content
            try:
                file.truncate(size)
                file.seek(size)
                _write_all(file, content)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
        if is_new:
            sync_folder(self.path.parent)

    def is_overgrown(self) -> bool:
        """Say whether the log should be written anew."""
        size = self.path.stat().st_size
        if size <= MIN_COMPACTED_BYTES:
            return False
        with self.path.open("rb") as file:
            return size > 2 * self._check(file.readline()).size

    def compact(self, first: Sequence[ArtifactRecord]) -> None:
        """Write the log anew with what is there, as `replay` returns it, and nothing of what came before."""
        known = {record.path for record in first}
        kept = self.replay(first)
        gone = known - {record.path for record in kept}
        lines: list[Line] = [*(Deletion(path) for path in sorted(gone)), *kept]
        content = b"".join(_encode(line) + b"\n" for line in lines)
        with atomic_write(self.path) as file:
            file.write(_encode(Header(LOG_VERSION, len(content))) + b"\n" + content)

    def _read(self) -> list[Line]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        lines = content.split(b"\n")[:-1]
        if not lines:
            return []
        self._check(lines[0])
        return [self._parse(line, number) for number, line in enumerate(lines[1:], 2)]

    def _check(self, line: bytes) -> Header:
        try:
            header = _read_header(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._damage(1, error) from error
        if header.version != LOG_VERSION:
            raise IntegrityError(
                f"{self.path} has format version {header.version!r}; this Atelier reads {LOG_VERSION}. Install the "
                "Atelier that wrote it, or a newer one."
            )
        return header

    def _parse(self, line: bytes, number: int) -> Line:
        try:
            return _read_deletion(line) if line.startswith(b'{"deleted"') else _read_record(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._damage(number, error) from error

    def _damage(self, number: int, error: Exception) -> IntegrityError:
        return IntegrityError(
            f"Line {number} of {self.path} is not what Atelier wrote ({error}). Restore the file from a backup, or "
            "remove the line, with which one file of the run is forgotten."
        )


def is_at_or_below(path: str, target: str) -> bool:
    """Say whether a path is another, or inside it."""
    return path == target or path.startswith(f"{target}/")


def _write_all(file: IO[bytes], content: bytes) -> None:
    """Write everything, also where the disk takes a part first and refuses the rest."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _whole_size(file: IO[bytes]) -> int:
    """Return the size of a file up to its last line break."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return 0
    file.seek(end - 1)
    if file.read(1) == b"\n":
        return end
    file.seek(0)
    return file.read().rfind(b"\n") + 1
