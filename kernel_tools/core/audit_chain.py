"""The records of the audit log: their form on disk, the hash that chains them, and the check of a whole log.

A line is the canonical JSON of a record: sorted keys, no spaces, ASCII. `hash` is the sha256 of the canonical JSON of
all other fields, of which `previous` is the hash of the record before. Writing is done in `audit`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from kernel_tools.core.errors import InvalidArgumentError

RECORD_VERSION = 1
MAX_LINE_SIZE = 1024 * 1024
FIRST_PREVIOUS = "0" * 64
"""What the first record has as hash of the record before it."""

MAX_DEPTH = 32
"""How deep details may be nested."""

_FIELD_TYPES = {
    "version": int,
    "sequence": int,
    "time": int,
    "actor": str,
    "action": str,
    "target": str,
    "details": dict,
    "previous": str,
    "hash": str,
}


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One change of state. `time` is in milliseconds since 1970 UTC; `sequence` counts from 1."""

    version: int
    sequence: int
    time: int
    actor: str
    action: str
    target: str
    details: dict[str, Any]
    previous: str
    hash: str = ""

    def sealed(self) -> AuditRecord:
        """Return the record with its hash."""
        fields = self._fields()
        del fields["hash"]
        return replace(self, hash=hashlib.sha256(_canonical_json(fields)).hexdigest())

    def line(self) -> bytes:
        """Return the record as its line in the log, with the newline."""
        return _canonical_json(self._fields()) + b"\n"

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELD_TYPES}


@dataclass(frozen=True, slots=True)
class Head:
    """Sequence and hash of the last acknowledged record; sequence 0 for a log without records."""

    sequence: int = 0
    hash: str = FIRST_PREVIOUS

    def content(self) -> bytes:
        """Return the head as the content of its file."""
        return _canonical_json({"sequence": self.sequence, "hash": self.hash}) + b"\n"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the check of a log found.

    Attributes
    ----------
    ok
        Whether every acknowledged record is there, unchanged and in its place.
    records
        Number of intact records from the first one on.
    first_broken
        Line, which is also the sequence number due there, of the first record that is not intact; None if `ok`.
    reason
        What is wrong with it, as a sentence; "" if `ok`.
    head
        Hash of the last intact record. Kept elsewhere, it proves later that all records up to it are still the same.
    torn_bytes
        Size of an unfinished last line: a writer died there, or is at it. It was never acknowledged and breaks nothing.
    """

    ok: bool
    records: int
    first_broken: int | None
    reason: str
    head: str
    torn_bytes: int = 0


def parse_record(line: bytes) -> AuditRecord:
    """Parse a line of the log, with its newline, and check it in itself.

    Raises
    ------
    ValueError
        If it is not, byte for byte, a record as it was written; the message is a clause.
    """
    if len(line) > MAX_LINE_SIZE:
        raise ValueError(f"it is longer than {MAX_LINE_SIZE} bytes")
    try:
        fields = json.loads(line)
        is_canonical = _canonical_json(fields) + b"\n" == line
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not a JSON record") from error
    if not isinstance(fields, dict) or {name: type(value) for name, value in fields.items()} != _FIELD_TYPES:
        raise ValueError("it does not have the fields of a record")
    record = AuditRecord(**fields)
    if record.version != RECORD_VERSION:
        raise ValueError(f"it has version {record.version}, and this version of Atelier reads {RECORD_VERSION}")
    if not is_canonical or record.sealed().hash != record.hash:
        raise ValueError("its content does not fit its hash, so it was changed")
    return record


def read_head(path: Path) -> Head | None:
    """Read a head file; None if there is none.

    Raises
    ------
    ValueError
        If it is not a head; the message is a sentence.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    problem = f"{path.name} does not hold the sequence and hash of a record, so it was changed."
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(problem) from error
    if not isinstance(fields, dict) or {name: type(value) for name, value in fields.items()} != {
        "sequence": int,
        "hash": str,
    }:
        raise ValueError(problem)
    return Head(**fields)


def verify_chain(lines: Iterator[bytes], head: Head | None) -> AuditReport:
    """Check the lines of a log, read one by one, against themselves and the head that was read before them."""
    last = Head()
    for line in lines:
        due = last.sequence + 1
        if not line.endswith(b"\n") and len(line) <= MAX_LINE_SIZE:
            return _check_end(last, head, torn_bytes=len(line))
        try:
            record = parse_record(line)
        except ValueError as error:
            return _broken(last, f"Record {due} (line {due}) is broken: {error}.")
        if record.sequence != due:
            return _broken(last, f"Line {due} holds record {record.sequence}, and record {due} is missing there.")
        if record.previous != last.hash:
            return _broken(
                last,
                f"Record {due} (line {due}) does not follow the record before it: "
                "one of the two was changed or replaced.",
            )
        if head is not None and head.sequence == due and head.hash != record.hash:
            return _broken(
                last, f"Record {due} (line {due}) is not the one that was acknowledged: it or audit.head was replaced."
            )
        last = Head(due, record.hash)
    return _check_end(last, head)


def _check_end(last: Head, head: Head | None, torn_bytes: int = 0) -> AuditReport:
    if head is None and last.sequence > 1:
        return _broken(last, f"audit.head is missing, so records after {last.sequence} may have been removed.")
    if head is not None and head.sequence > last.sequence:
        return _broken(
            last,
            f"Record {last.sequence + 1} (line {last.sequence + 1}) is missing: the log ends before it, "
            f"and records up to {head.sequence} were acknowledged.",
        )
    return AuditReport(True, last.sequence, None, "", last.hash, torn_bytes)


def _broken(last: Head, reason: str) -> AuditReport:
    return AuditReport(False, last.sequence, last.sequence + 1, reason, last.hash)


def plain_details(details: dict[str, Any] | None) -> dict[str, Any]:
    """Return details as the JSON types that come back from the log: lists for tuples, strings for non-finite numbers.

    Raises
    ------
    InvalidArgumentError
        If a value has no JSON form, a key is not a string, or the nesting is too deep.
    """
    if details is not None and not isinstance(details, dict):
        raise InvalidArgumentError(f"The details of an audit record are a dict, not {type(details).__name__}.")
    return {name: _plain(value, f"details[{name!r}]", MAX_DEPTH) for name, value in _named(details or {}, "details")}


def _plain(value: object, where: str, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if depth == 0:
        raise InvalidArgumentError(
            f"{where} of an audit record is nested deeper than {MAX_DEPTH} levels: make it flat."
        )
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]", depth - 1) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: _plain(item, f"{where}[{name!r}]", depth - 1) for name, item in _named(value, where)}
    raise InvalidArgumentError(
        f"{where} of an audit record is {type(value).__name__}, which JSON cannot hold: "
        "use text, numbers, lists and dicts."
    )


def _named(values: dict[Any, Any], where: str) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if not isinstance(name, str):
            raise InvalidArgumentError(f"{where} of an audit record has the key {name!r}: use text as keys.")
        yield str.__str__(name), value


def _canonical_json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def find_line_start(file: IO[bytes], end: int) -> int:
    """Return where the line begins whose last byte is before `end`, reading backwards from there."""
    position = end
    while position > 0:
        size = min(8192, position)
        position -= size
        file.seek(position)
        found = file.read(size).rfind(b"\n")
        if found >= 0:
            return position + found + 1
    return 0
