"""Models, each a group of versions: making, describing, tagging, renaming and deleting them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.database import insert_or_update
from kernel_tools.core.errors import ConflictError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.registry import catalog
from kernel_tools.registry.lineage_graph import refuse_if_in_use
from kernel_tools.registry.names import MAX_DESCRIPTION, validate_model_name, validate_tags, validate_text
from kernel_tools.registry.records import ModelGroup
from kernel_tools.registry.tables import model_groups, model_tags, model_versions

MAX_AUDITED = 200
"""Characters of a text that the audit log repeats."""


def create_model(
    name: str,
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    *,
    workspace: Workspace | None = None,
) -> ModelGroup:
    """Make a model without versions; `register` makes one by itself when it is needed.

    Parameters
    ----------
    name
        1 to 256 printable characters without ``/`` and ``:``.
    description
        Markdown.
    tags
        Keys and values; values are kept as text.
    workspace
        Default: the current workspace.

    Raises
    ------
    InvalidArgumentError
        If the name, the description or a tag cannot be used.
    ConflictError
        If there is a model of this name.
    """
    workspace = workspace or current_workspace()
    validate_model_name(name)
    validate_text(description, "description", MAX_DESCRIPTION)
    texts = validate_tags(tags or {})
    time_now = now()
    with workspace.database.write() as connection:
        _refuse_taken(connection, name)
        group = {"name": name, "created_at": time_now, "updated_at": time_now}
        connection.execute(model_groups.insert().values(**group, description=description, last_version=0))
        insert_or_update(connection, model_tags, [{"model": name, "key": key, "value": texts[key]} for key in texts])
        workspace.audit.record("model.create", name, {"description": description[:MAX_AUDITED], "tags": brief(texts)})
        return catalog.get_group(connection, name)


def get_model(name: str, *, workspace: Workspace | None = None) -> ModelGroup:
    """Return a model; NotFoundError if there is none of this name."""
    with (workspace or current_workspace()).database.read() as connection:
        return catalog.get_group(connection, name)


def describe_model(name: str, description: str, *, workspace: Workspace | None = None) -> ModelGroup:
    """Give a model a description (Markdown), in place of the one that it has.

    Raises
    ------
    NotFoundError
        If there is no such model.
    InvalidArgumentError
        If the description has more than 100,000 characters.
    """
    workspace = workspace or current_workspace()
    validate_text(description, "description", MAX_DESCRIPTION)
    with workspace.database.write() as connection:
        catalog.update_group(connection, name, {"description": description, "updated_at": now()})
        workspace.audit.record("model.describe", name, {"description": description[:MAX_AUDITED]})
        return catalog.get_group(connection, name)


def rename_model(name: str, new_name: str, *, workspace: Workspace | None = None) -> ModelGroup:
    """Rename a model with all its versions; endpoints that serve one go on, under the name of the endpoint.

    Raises
    ------
    NotFoundError
        If there is no such model.
    ConflictError
        If the new name is taken.
    InvalidArgumentError
        If the new name cannot be used.
    """
    workspace = workspace or current_workspace()
    validate_model_name(new_name, "new model name")
    time_now = now()
    with workspace.database.write() as connection:
        catalog.get_group(connection, name)
        _refuse_taken(connection, new_name)
        catalog.update_group(connection, name, {"name": new_name, "updated_at": time_now})
        connection.execute(
            model_versions.update().where(model_versions.c.model == new_name).values(updated_at=time_now)
        )
        workspace.audit.record("model.rename", name, {"new_name": new_name})
        return catalog.get_group(connection, new_name)


def delete_model(name: str, *, workspace: Workspace | None = None) -> None:
    """Delete a model with all its versions; their files go with the next garbage collection.

    Raises
    ------
    NotFoundError
        If there is no such model.
    ConflictError
        If something uses a version, such as an endpoint that serves it.
    """
    workspace = workspace or current_workspace()
    with workspace.database.read() as connection:
        catalog.get_group(connection, name)
        query = sa.select(model_versions.c.version).where(model_versions.c.model == name)
        numbers = connection.execute(query).scalars().all()
    refuse_if_in_use(workspace, name, numbers)
    with workspace.database.write() as connection:
        group = catalog.get_group(connection, name)
        connection.execute(model_groups.delete().where(model_groups.c.name == name))
        workspace.audit.record("model.delete", name, {"versions": group.version_count})


def set_model_tags(name: str, tags: Mapping[str, Any], *, workspace: Workspace | None = None) -> ModelGroup:
    """Set tags of a model; a tag that exists gets the new value.

    Raises
    ------
    NotFoundError
        If there is no such model.
    InvalidArgumentError
        If a key or value cannot be used.
    """
    workspace = workspace or current_workspace()
    texts = validate_tags(tags)
    with workspace.database.write() as connection:
        catalog.get_group(connection, name)
        insert_or_update(connection, model_tags, [{"model": name, "key": key, "value": texts[key]} for key in texts])
        workspace.audit.record("model.tag", name, {"tags": brief(texts)})
        return catalog.get_group(connection, name)


def delete_model_tag(name: str, key: str, *, workspace: Workspace | None = None) -> ModelGroup:
    """Delete a tag of a model; nothing happens if it has no such tag. NotFoundError if there is no such model."""
    workspace = workspace or current_workspace()
    with workspace.database.write() as connection:
        catalog.get_group(connection, name)
        is_tag = (model_tags.c.model == name) & (model_tags.c.key == key)
        if connection.execute(model_tags.delete().where(is_tag)).rowcount:
            workspace.audit.record("model.untag", name, {"key": key})
        return catalog.get_group(connection, name)


def now() -> int:
    """Return the present time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def brief(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with their values cut to what the audit log repeats, at most 100 of them."""
    return {key: tags[key][:MAX_AUDITED] for key in list(tags)[:100]}


def _refuse_taken(connection: sa.Connection, name: str) -> None:
    if connection.execute(sa.select(model_groups.c.name).where(model_groups.c.name == name)).first():
        raise ConflictError(f"There already is a model {name!r}. Choose another name, or add a version to that model.")
