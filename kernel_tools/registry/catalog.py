"""The catalog's side of the registry: rows in, records out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.database import Database, insert_missing
from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.paging import decode_page_token, encode_page_token, validate_limit
from kernel_tools.registry.records import ModelFile, ModelGroup, Stage, VersionRecord, VersionStatus
from kernel_tools.registry.signature import Signature
from kernel_tools.registry.tables import (
    logged_model_files,
    logged_models,
    model_aliases,
    model_cards,
    model_groups,
    model_tags,
    model_versions,
    version_packages,
    version_tags,
)

CONTENT_VERSION = 1
CONTENT_FIELDS = ("format", "model_class", "files", "signature", "sample", "libraries", "untrusted_types", "has_code")
COLUMN_FIELDS = (
    "model",
    "id",
    "created_at",
    "updated_at",
    "created_by",
    "run_id",
    "model_id",
    "source",
    "storage_uri",
    "run_link",
    "description",
    "licence",
    "note",
)


def insert_version(connection: sa.Connection, record: VersionRecord) -> VersionRecord:
    """Add a version under the next number of its group, and return it with that number.

    Must run in a write transaction; the row of the group is locked, so that numbers have no gap and no double.
    """
    group = {"name": record.model, "created_at": record.created_at, "updated_at": record.created_at}
    insert_missing(connection, model_groups, {**group, "description": "", "last_version": 0})
    is_group = model_groups.c.name == record.model
    last = connection.execute(sa.select(model_groups.c.last_version).where(is_group).with_for_update()).scalar_one()
    number = last + 1
    connection.execute(model_groups.update().where(is_group).values(last_version=number, updated_at=record.created_at))
    return place_version(connection, record, number)


def place_version(connection: sa.Connection, record: VersionRecord, number: int) -> VersionRecord:
    """Add a version under a number that is free, without counting it in its group, and return it."""
    fields = asdict(record)
    content = {key: fields[key] for key in CONTENT_FIELDS}
    connection.execute(
        model_versions.insert().values(
            **{key: fields[key] for key in COLUMN_FIELDS},
            version=number,
            status=record.status.value,
            stage=record.stage.value,
            content=json.dumps({"content_version": CONTENT_VERSION, **content}),
        )
    )
    if record.tags:
        rows = [
            {"model": record.model, "version": number, "key": key, "value": record.tags[key]} for key in record.tags
        ]
        connection.execute(version_tags.insert(), rows)
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
        raise missing(connection, model, f"version {version}")
    return version_records(connection, [row])[0]


def find_by_id(connection: sa.Connection, version_id: str) -> VersionRecord | None:
    """Return the version with an id, or None."""
    rows = connection.execute(sa.select(model_versions).where(model_versions.c.id == version_id)).mappings().all()
    return version_records(connection, rows)[0] if rows else None


def referenced_blobs(connection: sa.Connection) -> set[str]:
    """Return the sha256 of every file of a version, its packages or a logged model, seen at one moment."""
    contents = [
        *connection.execute(sa.select(model_versions.c.content)).scalars(),
        *connection.execute(sa.select(version_packages.c.content)).scalars(),
    ]
    of_versions = {file["sha256"] for content in contents for file in json.loads(content)["files"]}
    active = sa.select(logged_models.c.id).where(logged_models.c.lifecycle == "active")
    kept = sa.select(logged_model_files.c.sha256).where(logged_model_files.c.model_id.in_(active))
    return of_versions | set(connection.execute(kept).scalars())


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
        raise missing(connection, model, wanted)
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
            raise missing(connection, model, "version")
        rows = connection.execute(query.limit(limit + 1).offset(offset)).mappings().all()
        records = version_records(connection, rows[:limit])
    return records, encode_page_token(offset + limit) if len(rows) > limit else None


def group_query() -> sa.Select[Any]:
    """Select groups with the numbers that `group_records` needs; filters and an order may be added."""
    versions = model_versions.c
    is_pending = versions.status == VersionStatus.PENDING.value
    approved = sa.case((versions.status == VersionStatus.APPROVED.value, versions.version))
    return (
        sa.select(
            model_groups.c.name,
            model_groups.c.created_at,
            sa.func.count(versions.version).label("version_count"),
            sa.func.max(versions.version).label("latest_version"),
            sa.func.coalesce(sa.func.sum(sa.case((is_pending, 1), else_=0)), 0).label("pending_count"),
            sa.func.max(approved).label("approved_version"),
            model_groups.c.updated_at,
            model_groups.c.description,
        )
        .select_from(model_groups.outerjoin(model_versions))
        .group_by(*model_groups.c)
    )


def group_records(connection: sa.Connection, rows: Sequence[Any]) -> list[ModelGroup]:
    """Make the records of rows that `group_query` selected."""
    names = {row.name for row in rows}
    aliases: dict[str, dict[str, int]] = {}
    query = sa.select(model_aliases).where(model_aliases.c.model.in_(names)).order_by(model_aliases.c.alias)
    for row in connection.execute(query):
        aliases.setdefault(row.model, {})[row.alias] = row.version
    tags: dict[str, dict[str, str]] = {}
    query = sa.select(model_tags).where(model_tags.c.model.in_(names)).order_by(model_tags.c.key)
    for row in connection.execute(query):
        tags.setdefault(row.model, {})[row.key] = row.value
    return [ModelGroup(**row._mapping, tags=tags.get(row.name, {}), aliases=aliases.get(row.name, {})) for row in rows]


def get_group(connection: sa.Connection, name: str) -> ModelGroup:
    """Return one group; NotFoundError if there is none, which names those that exist."""
    rows = connection.execute(group_query().where(model_groups.c.name == name)).all()
    if not rows:
        raise missing(connection, name, "version")
    return group_records(connection, rows)[0]


def list_groups(database: Database, *, limit: int, page_token: str | None) -> tuple[list[ModelGroup], str | None]:
    """Return one page of groups, the one with the newest version first; groups without versions come last."""
    offset, limit = decode_page_token(page_token), validate_limit(limit)
    newest = sa.func.max(model_versions.c.created_at).desc().nulls_last()
    query = group_query().order_by(newest, model_groups.c.name).limit(limit + 1).offset(offset)
    with database.read() as connection:
        rows = connection.execute(query).all()
        page = group_records(connection, rows[:limit])
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
    """Change columns of a version and return it."""
    get_version(connection, model, version)
    where = (model_versions.c.model == model) & (model_versions.c.version == version)
    connection.execute(model_versions.update().where(where).values(values))
    return get_version(connection, model, version)


def update_group(connection: sa.Connection, name: str, values: dict[str, Any]) -> None:
    """Change columns of a group; NotFoundError if there is none."""
    if connection.execute(model_groups.update().where(model_groups.c.name == name).values(values)).rowcount == 0:
        raise missing(connection, name, "version")


def version_records(connection: sa.Connection, rows: Sequence[Any]) -> list[VersionRecord]:
    """Make the records of rows of `model_versions` (as mappings), with their aliases, tags and card."""
    models = {row["model"] for row in rows}
    wanted = {(row["model"], row["version"]) for row in rows}
    aliases: dict[tuple[str, int], list[str]] = {}
    query = sa.select(model_aliases).where(model_aliases.c.model.in_(models)).order_by(model_aliases.c.alias)
    for alias in connection.execute(query):
        aliases.setdefault((alias.model, alias.version), []).append(alias.alias)
    tags: dict[tuple[str, int], dict[str, str]] = {}
    for tag in connection.execute(_of_versions(sa.select(version_tags), version_tags, wanted, version_tags.c.key)):
        tags.setdefault((tag.model, tag.version), {})[tag.key] = tag.value
    revisions = sa.select(model_cards.c.model, model_cards.c.version, model_cards.c.revision)
    ordered = connection.execute(_of_versions(revisions, model_cards, wanted, model_cards.c.revision))
    cards = {(card.model, card.version): card.revision for card in ordered}
    return [
        _record(row, aliases.get(key, []), tags.get(key, {}), cards.get(key))
        for row in rows
        for key in [(row["model"], row["version"])]
    ]


def _of_versions(
    query: sa.Select[Any], table: sa.Table, versions: set[tuple[str, int]], order: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    models, numbers = {model for model, _ in versions}, {number for _, number in versions}
    return query.where(table.c.model.in_(models), table.c.version.in_(numbers)).order_by(order)


def _record(row: Any, aliases: list[str], tags: dict[str, str], card_revision: int | None) -> VersionRecord:
    content = json.loads(row["content"])
    signature = content["signature"]
    return VersionRecord(
        **{name: row[name] for name in (*COLUMN_FIELDS, "version", "decided_by", "decided_at")},
        status=VersionStatus(row["status"]),
        stage=Stage(row["stage"]),
        format=content["format"],
        model_class=content["model_class"],
        files=[ModelFile(**file) for file in content["files"]],
        signature=Signature.from_dict(signature) if signature else None,
        sample=content["sample"],
        libraries=content["libraries"],
        untrusted_types=content["untrusted_types"],
        has_code=content.get("has_code", False),
        aliases=aliases,
        tags=tags,
        card_revision=card_revision,
    )


def missing(connection: sa.Connection, model: str, wanted: str) -> NotFoundError:
    """Make the error that says what of a model is not there, and what is."""
    query = sa.select(model_versions.c.version, model_versions.c.status).where(model_versions.c.model == model)
    rows = connection.execute(query.order_by(model_versions.c.version.desc()).limit(10)).all()
    if rows:
        known = ", ".join(f"{row.version} ({row.status})" for row in rows)
        return NotFoundError(f"The model {model!r} has no {wanted}. Its newest versions are: {known}.")
    names = connection.execute(sa.select(model_groups.c.name).order_by(model_groups.c.name).limit(10)).scalars().all()
    known = f"Registered models: {', '.join(names)}." if names else "No model is registered yet."
    if model in names or connection.execute(sa.select(model_groups.c.name).where(model_groups.c.name == model)).first():
        return NotFoundError(
            f"The model {model!r} has no {wanted}: it has no version. kernel_tools.registry.register(...) makes one."
        )
    return NotFoundError(f"There is no model {model!r}. {known} kernel_tools.registry.register(...) makes a version.")
