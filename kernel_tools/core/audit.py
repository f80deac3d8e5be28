"""The audit log: who changed what and when, in a file where a later change of the past is found.

``audit.jsonl`` holds one JSON object per line, and each carries the hash of the one before. ``audit.head`` holds
sequence number and hash of the last acknowledged record, so that records missing at the end are found too. Somebody who
may write to both files can make a new, consistent history: note `AuditReport.head` in a place that they cannot reach.
A record after the head counts as one whose writer died before it could say so.
"""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from kernel_tools.core.audit_chain import (
    MAX_LINE_SIZE,
    RECORD_VERSION,
    AuditRecord,
    AuditReport,
    Head,
    find_line_start,
    parse_record,
    plain_details,
    read_head,
    verify_chain,
)
from kernel_tools.core.errors import IntegrityError, InvalidArgumentError, TooLargeError, UnavailableError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.workspace import atomic_write

__all__ = ["AuditLog", "AuditRecord", "AuditReport", "acting_user", "current_user"]

_acting_user: ContextVar[str | None] = ContextVar("acting_user", default=None)


@contextmanager
def acting_user(name: str) -> Iterator[None]:
    """Let `current_user` be `name` in the block; a server does so for the user whose request it answers.

    It is a context variable: tasks and `asyncio.to_thread` inherit it, a bare thread pool does not.
    """
    token = _acting_user.set(name)
    try:
        yield
    finally:
        _acting_user.reset(token)


def current_user() -> str:
    """Say who acts: the user set by `acting_user`, else the owner of the process, ``uid-<n>`` if that has no name."""
    name = _acting_user.get()
    if name is not None:
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid-{os.getuid()}" if hasattr(os, "getuid") else "unknown"


class AuditLog:
    """An append-only log of changes of state that any number of processes write to.

    A record is acknowledged when `record` returns: it is then on the disk, and `verify` finds its removal.

    Parameters
    ----------
    path
        The log, such as ``audit.jsonl``; its head is kept beside it as ``audit.head``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._head_path = self.path.with_suffix(".head")
        self._lock_path = self.path.with_suffix(".lock")

    def __repr__(self) -> str:
        return f"AuditLog({str(self.path)!r})"

    def record(
        self, action: str, target: str, details: dict[str, Any] | None = None, actor: str | None = None
    ) -> AuditRecord:
        """Append a record and return it once it is safe on the disk.

        Parameters
        ----------
        action
            What was done, such as ``registry.approve``.
        target
            What it was done to, such as ``model/census/3``.
        details
            JSON values that tell more; a non-finite number is kept as text.
        actor
            Who did it; default `current_user`.

        Raises
        ------
        InvalidArgumentError
            If a value has no JSON form.
        TooLargeError
            If the record is larger than 1 MiB.
        IntegrityError
            If the log is so damaged that it has no end to go on from.
        UnavailableError
            If the disk is full or another process holds the log; nothing is recorded then.
        """
        texts = {"action": action, "target": target, "actor": current_user() if actor is None else actor}
        for name, text in texts.items():
            if not isinstance(text, str) or not text:
                raise InvalidArgumentError(f"The {name} of an audit record is {text!r}: give it as text.")
        draft = AuditRecord(
            version=RECORD_VERSION, sequence=0, time=0, details=plain_details(details), previous="", **texts
        )
        if len(draft.sealed().line()) > MAX_LINE_SIZE - 256:
            raise TooLargeError(
                f"The audit record of {action!r} on {target!r} is larger than 1 MiB: "
                "store the details as an artifact and record its address."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(self._lock_path), self._open_for_append() as file:
            last, end = self._find_end(file)
            record = replace(
                draft, sequence=last.sequence + 1, time=time.time_ns() // 1_000_000, previous=last.hash
            ).sealed()
            self._append(file, end, record.line())
            with atomic_write(self._head_path) as head_file:
                head_file.write(Head(record.sequence, record.hash).content())
        return record

    def records(self, limit: int = 100, newest_first: bool = True) -> list[AuditRecord]:
        """Return up to `limit` records from the end or the beginning of the log, reading no more than these.

        Raises
        ------
        IntegrityError
            If one of them is broken.
        """
        lines = self._lines_backwards() if newest_first else self._lines()
        found: list[AuditRecord] = []
        for line in lines:
            if len(found) >= limit or not line.endswith(b"\n"):
                break
            try:
                found.append(parse_record(line))
            except ValueError as error:
                raise IntegrityError(
                    f"A record of {str(self.path)!r} is broken: {error}. "
                    "Run `atelier audit verify` to see where the log was changed."
                ) from error
        return found

    def newest_first(self) -> Iterator[AuditRecord]:
        """Give the records from the end of the log on, one by one; a broken one is passed over: `verify` finds it."""
        for line in self._lines_backwards():
            try:
                yield parse_record(line)
            except ValueError:
                continue

    def verify(self) -> AuditReport:
        """Check the whole log; edits, deletions, insertions, duplicates and other orders are found.

        It needs no lock and little memory, and writers may go on in the meantime.
        """
        try:
            head = read_head(self._head_path)
        except ValueError as error:
            report = verify_chain(self._lines(), Head())
            return replace(
                report,
                ok=False,
                first_broken=report.first_broken or report.records + 1,
                reason=report.reason or str(error),
            )
        return verify_chain(self._lines(), head)

    def _lines(self) -> Iterator[bytes]:
        """Give the lines, each at most one byte longer than a record can be."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            while line := file.readline(MAX_LINE_SIZE + 1):
                yield line

    def _lines_backwards(self) -> Iterator[bytes]:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            end = find_line_start(file, file.seek(0, os.SEEK_END))
            while end > 0:
                start = find_line_start(file, end - 1)
                file.seek(start)
                yield file.read(min(end - start, MAX_LINE_SIZE + 1))
                end = start

    def _open_for_append(self) -> IO[bytes]:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        return os.fdopen(descriptor, "r+b", buffering=0)

    def _find_end(self, file: IO[bytes]) -> tuple[Head, int]:
        """Return the record to go on from and the position to write at.

        Where log and head disagree, the record that the head names counts: the gap or break which that leaves in the
        chain keeps the damage visible to `verify` for ever. An unfinished line was never acknowledged and is cut
        off, unless it stands where an acknowledged record should be.
        """
        size = file.seek(0, os.SEEK_END)
        end = find_line_start(file, size)
        last = self._last_record(file, end)
        try:
            head = read_head(self._head_path)
        except ValueError:
            head = None
        if head is not None and (last is None or head.sequence >= last.sequence):
            is_torn_line_due = size > end and (last is None or head.sequence > last.sequence)
            if is_torn_line_due:
                self._append(file, size, b"\n")
                return head, size + 1
            last = head
        if last is None:
            raise IntegrityError(
                f"The last record of {str(self.path)!r} is broken and {self._head_path.name} does not tell where the "
                "log ended. Move both files to a safe place as evidence; a new log is begun then."
            )
        if size > end:
            file.truncate(end)
        return last, end

    def _last_record(self, file: IO[bytes], end: int) -> Head | None:
        """Return the last whole record; sequence 0 if there is no line, None if the line is broken."""
        if end == 0:
            return Head()
        start = find_line_start(file, end - 1)
        file.seek(start)
        try:
            record = parse_record(file.read(min(end - start, MAX_LINE_SIZE + 1)))
        except ValueError:
            return None
        return Head(record.sequence, record.hash)

    def _append(self, file: IO[bytes], end: int, data: bytes) -> None:
        """Write `data` at `end` with one call and sync it; leave nothing of it if that fails."""
        try:
            file.seek(end)
            if file.write(data) != len(data):
                raise OSError("the disk is full")
            os.fsync(file.fileno())
        except BaseException as error:
            file.truncate(end)
            if isinstance(error, OSError):
                raise UnavailableError(
                    f"The audit log {str(self.path)!r} cannot be written: {error}. "
                    "Free space on its disk; nothing was recorded."
                ) from error
            raise
