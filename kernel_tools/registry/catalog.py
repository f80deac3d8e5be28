"""The catalog's side of the registry: rows in, records out."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.database import Database, insert_missing
from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.paging import decode_page_token, encode_page_token, validate_limit
from kernel_tools.registry.records import ModelFile, ModelGroup, VersionRecord, VersionStatus
from kernel_tools.registry.signature import Signature
from kernel_tools.registry.tables import model_aliases, model_groups, model_versions

CONTENT_VERSION = 1
CONTENT_FIELDS = ("format", "model_class", "files", "signature", "sample", "libraries", "untrusted_types")


def insert_version(connection: sa.Connection, record: VersionRecord) -> VersionRecord:
    """Add a version under the next number of its group, and return it with that number.

    Must run in a write transaction; the row of the group is locked, so that numbers have no gap and no double.
    """
    insert_missing(connection, model_groups, {"name": record.model, "created_at": record.created_at})
    group = sa.select(model_groups.c.name).where(model_groups.c.name == record.model)
    connection.execute(group.with_for_update())
    highest = sa.select(sa.func.max(model_versions.c.version)).where(model_versions.c.model == record.model)
    number = (connection.execute(highest).scalar() or 0) + 1
    content = {key: value for key, value in asdict(record).items() if key in CONTENT_FIELDS}
    connection.execute(
        model_versions.insert().values(
            model=record.model,
            version=number,
            status=record.status.value,
            created_at=record.created_at,
            created_by=record.created_by,
            run_id=record.run_id,
            content=json.dumps({"content_version": CONTENT_VERSION, **content}),
            note="",
        )
    )
    return get_version(connection, record.model, number)


def get_version(connection: sa.Connection, model: str, version: int) -> VersionRecord:
    """Return one version.

    Raises
    ------
    NotFoundError
        If the group or the version does not exist; the message says which do.
    """
    query = sa.select(model_versions).where(model_versions.c.model == model, model_versions.c.version == version)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise _missing(connection, model, f"version {version}")
    return _records(connection, [row])[0]


def find_version(connection: sa.Connection, model: str, alias: str | None, status: VersionStatus | None) -> int:
    """Return the number of the version with an alias, else of the newest one (with a status)."""
    if alias is not None:
        query = sa.select(model_aliases.c.version).where(model_aliases.c.model == model, model_aliases.c.alias == alias)
        wanted = f"alias {alias!r}"
    else:
        query = sa.select(sa.func.max(model_versions.c.version)).where(model_versions.c.model == model)
        wanted = "version"
        if status is not None:
            query = query.where(model_versions.c.status == status.value)
            wanted = f"version with status {status.value}"
    number = connection.execute(query).scalar()
    if number is None:
        raise _missing(connection, model, wanted)
    return int(number)


def list_versions(
    database: Database,
    *,
    model: str | None,
    run_id: str | None,
    status: VersionStatus | None,
    limit: int,
    page_token: str | None,
) -> tuple[list[VersionRecord], str | None]:
    """Return one page of versions, the newest first."""
    offset, limit = decode_page_token(page_token), validate_limit(limit)
    table = model_versions.c
    query = sa.select(model_versions).order_by(table.created_at.desc(), table.model, table.version.desc())
    for column, value in ((table.model, model), (table.run_id, run_id), (table.status, status and status.value)):
        if value is not None:
            query = query.where(column == value)
    with database.read() as connection:
        if (
            model is not None
            and not connection.execute(sa.select(model_groups.c.name).where(model_groups.c.name == model)).first()
        ):
            raise _missing(connection, model, "version")
        rows = connection.execute(query.limit(limit + 1).offset(offset)).mappings().all()
        records = _records(connection, list(rows[:limit]))
    return records, encode_page_token(offset + limit) if len(rows) > limit else None


def list_groups(database: Database, *, limit: int, page_token: str | None) -> tuple[list[ModelGroup], str | None]:
    """Return one page of groups, the one with the newest version first."""
    offset, limit = decode_page_token(page_token), validate_limit(limit)
    versions = model_versions.c
    is_pending = versions.status == VersionStatus.PENDING.value
    approved = sa.case((versions.status == VersionStatus.APPROVED.value, versions.version))
    query = (
        sa.select(
            model_groups.c.name,
            model_groups.c.created_at,
            sa.func.count(versions.version),
            sa.func.max(versions.version),
            sa.func.coalesce(sa.func.sum(sa.case((is_pending, 1), else_=0)), 0),
            sa.func.max(approved),
        )
        .select_from(model_groups.outerjoin(model_versions))
        .group_by(model_groups.c.name, model_groups.c.created_at)
        .order_by(sa.func.max(versions.created_at).desc(), model_groups.c.name)
        .limit(limit + 1)
        .offset(offset)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    page = [ModelGroup(*row) for row in rows[:limit]]
    return page, encode_page_token(offset + limit) if len(rows) > limit else None


def count_groups(database: Database) -> int:
    """Return the number of groups."""
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(model_groups)).scalar_one())


def count_versions(database: Database, status: VersionStatus | None) -> int:
    """Return the number of versions (with a status)."""
    query = sa.select(sa.func.count()).select_from(model_versions)
    if status is not None:
        query = query.where(model_versions.c.status == status.value)
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


def update_version(connection: sa.Connection, model: str, version: int, values: dict[str, Any]) -> VersionRecord:
    """Change the status columns of a version and return it."""
    get_version(connection, model, version)
    where = (model_versions.c.model == model) & (model_versions.c.version == version)
    connection.execute(model_versions.update().where(where).values(values))
    return get_version(connection, model, version)


def _records(connection: sa.Connection, rows: list[Any]) -> list[VersionRecord]:
    models = {row["model"] for row in rows}
    query = sa.select(model_aliases).where(model_aliases.c.model.in_(models)).order_by(model_aliases.c.alias)
    aliases: dict[tuple[str, int], list[str]] = {}
    for alias in connection.execute(query):
        aliases.setdefault((alias.model, alias.version), []).append(alias.alias)
    return [_record(row, aliases.get((row["model"], row["version"]), [])) for row in rows]


def _record(row: Any, aliases: list[str]) -> VersionRecord:
    content = json.loads(row["content"])
    signature = content["signature"]
    return VersionRecord(
        model=row["model"],
        version=row["version"],
        status=VersionStatus(row["status"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        format=content["format"],
        model_class=content["model_class"],
        files=[ModelFile(**file) for file in content["files"]],
        signature=Signature.from_dict(signature) if signature else None,
        sample=content["sample"],
        libraries=content["libraries"],
        untrusted_types=content["untrusted_types"],
        run_id=row["run_id"],
        aliases=aliases,
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        note=row["note"],
    )


def _missing(connection: sa.Connection, model: str, wanted: str) -> NotFoundError:
    query = sa.select(model_versions.c.version, model_versions.c.status).where(model_versions.c.model == model)
    rows = connection.execute(query.order_by(model_versions.c.version.desc()).limit(10)).all()
    if rows:
        known = ", ".join(f"{row.version} ({row.status})" for row in rows)
        return NotFoundError(f"The model {model!r} has no {wanted}. Its newest versions are: {known}.")
    names = connection.execute(sa.select(model_groups.c.name).order_by(model_groups.c.name).limit(10)).scalars().all()
    known = f"Registered models: {', '.join(names)}." if names else "No model is registered yet."
    return NotFoundError(f"There is no model {model!r}. {known} kernel_tools.registry.register(...) makes a version.")
