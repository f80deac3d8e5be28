"""What of a version may change after it was made: description, licence, tags, decision; and its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel_tools.core.audit import current_user
from kernel_tools.core.database import insert_or_update
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.registry import catalog
from kernel_tools.registry.groups import MAX_AUDITED, brief, now
from kernel_tools.registry.lineage_graph import refuse_if_in_use
from kernel_tools.registry.names import MAX_DESCRIPTION, MAX_LICENCE, MAX_NOTE, validate_tags, validate_text
from kernel_tools.registry.records import VersionRecord, VersionStatus
from kernel_tools.registry.tables import model_versions, version_tags


def decide_version(
    name: str, version: int, status: VersionStatus | str, note: str = "", *, workspace: Workspace | None = None
) -> VersionRecord:
    """Approve a version, reject it, or take that back.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidArgumentError
        If there is no such status, or the note is too long.
    """
    try:
        wanted = VersionStatus(status)
    except ValueError:
        known = ", ".join(item.value for item in VersionStatus)
        raise InvalidArgumentError(f"{status!r} is not a status of a model version: use {known}.") from None
    validate_text(note, "note", MAX_NOTE)
    values = {"status": wanted.value, "note": note, "decided_by": current_user(), "decided_at": now()}
    details = {"status": wanted.value, "note": note}
    return _change(workspace or current_workspace(), name, version, values, "model.decide", details)


def describe_version(name: str, version: int, description: str, *, workspace: Workspace | None = None) -> VersionRecord:
    """Give a version a description (Markdown), in place of the one that it has.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidArgumentError
        If the description has more than 100,000 characters.
    """
    validate_text(description, "description", MAX_DESCRIPTION)
    details = {"description": description[:MAX_AUDITED]}
    workspace = workspace or current_workspace()
    return _change(workspace, name, version, {"description": description}, "model.describe", details)


def set_licence(name: str, version: int, licence: str, *, workspace: Workspace | None = None) -> VersionRecord:
    """Say under which licence a version may be used, such as ``Apache-2.0``.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidArgumentError
        If the licence has more than 250 characters.
    """
    validate_text(licence, "licence", MAX_LICENCE)
    workspace = workspace or current_workspace()
    return _change(workspace, name, version, {"licence": licence}, "model.licence", {"licence": licence})


def set_version_tags(
    name: str, version: int, tags: Mapping[str, Any], *, workspace: Workspace | None = None
) -> VersionRecord:
    """Set tags of a version; a tag that exists gets the new value.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidArgumentError
        If a key or value cannot be used.
    """
    workspace = workspace or current_workspace()
    texts = validate_tags(tags)
    rows = [{"model": name, "version": version, "key": key, "value": value} for key, value in texts.items()]
    with workspace.database.write() as connection:
        catalog.get_version(connection, name, version)
        insert_or_update(connection, version_tags, rows)
        workspace.audit.record("model.tag", f"{name}/{version}", {"tags": brief(texts)})
        return catalog.get_version(connection, name, version)


def delete_version_tag(name: str, version: int, key: str, *, workspace: Workspace | None = None) -> VersionRecord:
    """Delete a tag of a version; nothing happens if it has no such tag. NotFoundError if there is no such version."""
    workspace = workspace or current_workspace()
    table = version_tags.c
    with workspace.database.write() as connection:
        catalog.get_version(connection, name, version)
        is_tag = (table.model == name) & (table.version == version) & (table.key == key)
        if connection.execute(version_tags.delete().where(is_tag)).rowcount:
            workspace.audit.record("model.untag", f"{name}/{version}", {"key": key})
        return catalog.get_version(connection, name, version)


def delete_version(name: str, version: int, *, workspace: Workspace | None = None) -> None:
    """Delete a version; its number is not given again, its files go with the next garbage collection.

    Raises
    ------
    NotFoundError
        If there is no such version.
    ConflictError
        If something uses it, such as an endpoint that serves it.
    """
    workspace = workspace or current_workspace()
    table = model_versions.c
    with workspace.database.read() as connection:
        catalog.get_version(connection, name, version)
    refuse_if_in_use(workspace, name, [version])
    with workspace.database.write() as connection:
        catalog.get_version(connection, name, version)
        connection.execute(model_versions.delete().where((table.model == name) & (table.version == version)))
        catalog.update_group(connection, name, {"updated_at": now()})
        workspace.audit.record("model.delete", f"{name}/{version}")


def _change(
    workspace: Workspace, name: str, version: int, values: dict[str, Any], action: str, details: dict[str, Any]
) -> VersionRecord:
    with workspace.database.write() as connection:
        record = catalog.update_version(connection, name, version, {**values, "updated_at": now()})
        workspace.audit.record(action, f"{name}/{version}", details)
        return record
