"""What happened to a model version, told by the audit log: decisions, promotions, aliases, stages, cards, endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.registry import catalog

if TYPE_CHECKING:
    from kernel_tools.core.audit import AuditRecord

MAX_EVENTS = 500
SCANNED_RECORDS = 20_000
"""Records of the audit log that are looked at, from its end."""


@dataclass(frozen=True, slots=True)
class VersionEvent:
    """One change: `action` is the audit log's word, such as ``model.decide``; `details` say what changed."""

    time: int
    actor: str
    action: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VersionHistory:
    """Changes, the newest first; `is_complete` is False if the audit log goes further back than was looked."""

    events: list[VersionEvent]
    is_complete: bool


def version_history(name: str, version: int, *, workspace: Workspace | None = None) -> VersionHistory:
    """Return what happened to a model version, the newest first, also under earlier names of its model.

    Raises
    ------
    NotFoundError
        If there is no such version.
    """
    workspace = workspace or current_workspace()
    with workspace.database.read() as connection:
        catalog.get_version(connection, name, version)
    events: list[VersionEvent] = []
    for count, record in enumerate(workspace.audit.newest_first()):
        if count >= SCANNED_RECORDS or len(events) >= MAX_EVENTS:
            return VersionHistory(events, False)
        if _is_about(record, name, version):
            events.append(VersionEvent(record.time, record.actor, record.action, _brief(record.details)))
        if record.action == "model.register" and record.target == f"{name}/{version}":
            break  # what is older is of a deleted model of the same name
        if record.action == "model.rename" and record.details.get("new_name") == name:
            name = record.target  # as the model was called before
    return VersionHistory(events, True)


def _is_about(record: AuditRecord, name: str, version: int) -> bool:
    details = record.details
    if record.action == "endpoint.deploy":
        return bool(details.get("model") == name and details.get("version") == version)
    if record.action == "model.rename":
        return bool(details.get("new_name") == name)
    if record.action == "model.alias":
        is_ours = version in (details.get("version"), details.get("previous_version"))
        return record.target == name and is_ours
    return record.action.startswith("model.") and record.target == f"{name}/{version}"


def _brief(details: dict[str, Any]) -> dict[str, Any]:
    """Leave out the files, which the version itself lists."""
    return {key: value for key, value in details.items() if key != "files"}
