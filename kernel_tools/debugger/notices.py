"""Notices of findings that the action `Notify` leaves for whoever has the studio open: lines at the end of one file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger.finding import Finding, now

if TYPE_CHECKING:
    from kernel_tools.experiments import Run

FILE = "notices.jsonl"
VERSION = 1
_READ = 64 * 1024
_LARGEST = 1024**2


@dataclass(frozen=True, slots=True)
class Notice:
    """A finding that somebody wants to be told of; `at` is when it was left, in milliseconds since 1970 UTC."""

    run_id: str
    run: str
    rule: str
    severity: str
    step: int
    message: str
    at: int


def add_notice(run: Run, finding: Finding) -> None:
    """Leave a notice, in one write; of a file that has grown large only the end is kept."""
    notice = Notice(run.id, run.name, finding.rule, finding.severity.value, finding.step, finding.message[:1000], now())
    path = run._workspace.root / FILE
    if path.exists() and path.stat().st_size > _LARGEST:
        temporary = path.with_name(f"{FILE}.{os.getpid()}")
        temporary.write_bytes(path.read_bytes()[-_READ:])
        os.replace(temporary, path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, (json.dumps({"version": VERSION, **asdict(notice)}) + "\n").encode())
    finally:
        os.close(descriptor)


def read_notices(workspace: Workspace, since: int, limit: int = 20) -> list[Notice]:
    """Return the newest notices that were left after a time, the oldest first; what is torn or foreign is left out."""
    path = workspace.root / FILE
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _READ))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    found: list[Notice] = []
    for line in lines:
        try:
            plain = json.loads(line)
            if plain["version"] == VERSION and plain["at"] > since:
                found.append(Notice(**{item.name: plain[item.name] for item in fields(Notice)}))
        except (ValueError, KeyError, TypeError):
            continue
    return found[-limit:]
