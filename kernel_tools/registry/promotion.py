"""Which version is used for what: aliases, promotions with their reason, and MLflow's stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa

from kernel_tools.core.audit import current_user
from kernel_tools.core.database import insert_or_update
from kernel_tools.core.errors import ConflictError, InvalidArgumentError
from kernel_tools.core.paging import DEFAULT_PAGE, decode_page_token, encode_page_token, validate_limit
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.registry import catalog
from kernel_tools.registry.groups import now
from kernel_tools.registry.names import MAX_NOTE, parse_stage, validate_alias, validate_text
from kernel_tools.registry.records import Promotion, Stage, VersionRecord, VersionStatus
from kernel_tools.registry.tables import model_aliases, model_groups, model_promotions, model_versions

ACTIVE_STAGES = (Stage.STAGING, Stage.PRODUCTION)


def set_alias(name: str, alias: str, version: int, *, workspace: Workspace | None = None) -> VersionRecord:
    """Give a version an alias; the version that had it loses it.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidArgumentError
        If this cannot be an alias.
    """
    workspace = workspace or current_workspace()
    validate_alias(alias)
    with workspace.database.write() as connection:
        previous = _move_alias(connection, name, alias, version)
        details = {"alias": alias, "version": version, "previous_version": previous}
        workspace.audit.record("model.alias", name, details)
        return catalog.get_version(connection, name, version)


def delete_alias(name: str, alias: str, *, workspace: Workspace | None = None) -> None:
    """Take an alias away; nothing happens if no version has it. NotFoundError if there is no such model."""
    workspace = workspace or current_workspace()
    with workspace.database.write() as connection:
        catalog.get_group(connection, name)
        is_alias = (model_aliases.c.model == name) & (model_aliases.c.alias == alias)
        if connection.execute(model_aliases.delete().where(is_alias)).rowcount:
            workspace.audit.record("model.unalias", name, {"alias": alias})


def promote(
    name: str, version: int, alias: str = "champion", reason: str = "", *, workspace: Workspace | None = None
) -> Promotion:
    """Give a version an alias and keep who did it and why.

    Parameters
    ----------
    name, version
        The version.
    alias
        The alias that says what it is for, such as ``champion`` or ``challenger``.
    reason
        Why; at least a word.
    workspace
        Default: the current workspace.

    Raises
    ------
    NotFoundError
        If there is no such version.
    ConflictError
        If the version is rejected.
    InvalidArgumentError
        If there is no reason, or this cannot be an alias.
    """
    workspace = workspace or current_workspace()
    validate_alias(alias)
    validate_text(reason, "reason", MAX_NOTE)
    if not reason.strip():
        raise InvalidArgumentError(
            f"Say why version {version} of {name!r} becomes {alias!r}: give reason=, such as 'AUC 0.93 against 0.91'."
        )
    with workspace.database.write() as connection:
        if catalog.get_version(connection, name, version).status is VersionStatus.REJECTED:
            raise ConflictError(
                f"Version {version} of {name!r} is rejected and cannot become {alias!r}. Approve it first, or promote "
                "another version."
            )
        connection.execute(sa.select(model_groups.c.name).where(model_groups.c.name == name).with_for_update())
        previous = _move_alias(connection, name, alias, version)
        done = Promotion(alias, version, previous, reason, now(), current_user())
        is_model = model_promotions.c.model == name
        last = connection.execute(sa.select(sa.func.max(model_promotions.c.number)).where(is_model)).scalar() or 0
        connection.execute(model_promotions.insert().values(model=name, number=last + 1, **asdict(done)))
        workspace.audit.record("model.promote", f"{name}/{version}", asdict(done))
    return done


def list_promotions(
    name: str, limit: int = DEFAULT_PAGE, page_token: str | None = None, *, workspace: Workspace | None = None
) -> tuple[list[Promotion], str | None]:
    """Return one page of a model's promotions, the newest first; NotFoundError if there is no such model."""
    offset, limit = decode_page_token(page_token), validate_limit(limit)
    table = model_promotions.c
    fields = [column for column in table if column.name not in ("model", "number")]
    query = sa.select(*fields).where(table.model == name).order_by(table.number.desc())
    with (workspace or current_workspace()).database.read() as connection:
        catalog.get_group(connection, name)
        rows = connection.execute(query.limit(limit + 1).offset(offset)).all()
    page = [Promotion(**row._mapping) for row in rows[:limit]]
    return page, encode_page_token(offset + limit) if len(rows) > limit else None


def set_stage(
    name: str,
    version: int,
    stage: Stage | str,
    archive_existing: bool = False,
    *,
    workspace: Workspace | None = None,
) -> VersionRecord:
    """Move a version to a stage.

    Parameters
    ----------
    name, version
        The version.
    stage
        None, Staging, Production or Archived.
    archive_existing
        Whether the versions that are in the stage now become Archived.
    workspace
        Default: the current workspace.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidArgumentError
        If there is no such stage, or `archive_existing` is asked for another stage than Staging or Production.
    """
    workspace = workspace or current_workspace()
    wanted, time_now = parse_stage(stage), now()
    if archive_existing and wanted not in ACTIVE_STAGES:
        raise InvalidArgumentError(
            f"The versions in stage {wanted.value} cannot be archived: only Staging and Production are emptied so."
        )
    with workspace.database.write() as connection:
        catalog.get_version(connection, name, version)
        archived: Sequence[int] = []
        if archive_existing:
            table = model_versions.c
            others = (table.model == name) & (table.version != version) & (table.stage == wanted.value)
            archived = connection.execute(sa.select(table.version).where(others)).scalars().all()
            values = {"stage": Stage.ARCHIVED.value, "updated_at": time_now}
            connection.execute(model_versions.update().where(others).values(values))
        catalog.update_group(connection, name, {"updated_at": time_now})
        values = {"stage": wanted.value, "updated_at": time_now}
        record = catalog.update_version(connection, name, version, values)
        details = {"stage": wanted.value, "archived": list(archived)}
        workspace.audit.record("model.stage", f"{name}/{version}", details)
    return record


def latest_versions(
    name: str, stages: Sequence[Stage | str] = (), *, workspace: Workspace | None = None
) -> list[VersionRecord]:
    """Return the newest version in each stage (of those named), in the order of the stages."""
    wanted = [parse_stage(stage) for stage in stages] or list(Stage)
    table = model_versions.c
    with (workspace or current_workspace()).database.read() as connection:
        catalog.get_group(connection, name)
        newest = sa.select(table.stage, sa.func.max(table.version)).where(table.model == name).group_by(table.stage)
        numbers = {stage: number for stage, number in connection.execute(newest).all()}
        return [
            catalog.get_version(connection, name, numbers[stage.value])
            for stage in dict.fromkeys(wanted)
            if stage.value in numbers
        ]


def _move_alias(connection: sa.Connection, name: str, alias: str, version: int) -> int | None:
    """Give the alias to the version and return the one that had it."""
    catalog.get_version(connection, name, version)
    is_alias = (model_aliases.c.model == name) & (model_aliases.c.alias == alias)
    previous = connection.execute(sa.select(model_aliases.c.version).where(is_alias)).scalar()
    insert_or_update(connection, model_aliases, [{"model": name, "alias": alias, "version": version}])
    return previous
