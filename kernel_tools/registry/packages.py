"""Packages: other forms of a version's model, such as what the compiler makes. Their files are artifacts.

What is in a package, and who runs it, is the business of the room that made it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.workspace import Workspace, current_workspace, join_inside
from kernel_tools.registry import catalog
from kernel_tools.registry.groups import now
from kernel_tools.registry.records import ModelFile
from kernel_tools.registry.registration import keep_files
from kernel_tools.registry.tables import version_packages

MAX_PACKAGES = 200
"""Packages of one version that are listed; the newest ones."""


@dataclass(frozen=True, slots=True)
class PackageRecord:
    """One package of a version. Times are milliseconds since 1970 UTC.

    `manifest` says what it is; `candidates` what it was chosen from.
    """

    id: str
    model: str
    version: int
    target: str
    created_at: int
    created_by: str
    files: list[ModelFile]
    manifest: dict[str, Any]
    candidates: list[dict[str, Any]]


def add_package(
    name: str,
    version: int,
    target: str,
    folder: Path,
    manifest: dict[str, Any],
    candidates: Sequence[dict[str, Any]] = (),
    *,
    workspace: Workspace | None = None,
) -> PackageRecord:
    """Keep the files of a folder as a package of a version; NotFoundError if there is no such version."""
    workspace = workspace or current_workspace()
    record = PackageRecord(
        uuid.uuid4().hex,
        name,
        version,
        target,
        now(),
        current_user(),
        keep_files(workspace, folder),
        manifest,
        list(candidates),
    )
    content = {
        "files": [asdict(file) for file in record.files],
        "manifest": record.manifest,
        "candidates": record.candidates,
    }
    row = {field: getattr(record, field) for field in ("id", "model", "version", "target", "created_at", "created_by")}
    with workspace.database.write() as connection:
        catalog.get_version(connection, name, version)
        connection.execute(version_packages.insert().values(**row, content=json.dumps(content)))
        details = {"target": target, "package": record.id, "files": {file.path: file.sha256 for file in record.files}}
        workspace.audit.record("model.package", f"{name}/{version}", details)
    return record


def list_packages(name: str, version: int, *, workspace: Workspace | None = None) -> list[PackageRecord]:
    """Return the packages of a version, the newest first; NotFoundError if there is no such version."""
    table = version_packages.c
    query = sa.select(version_packages).where(table.model == name, table.version == version)
    query = query.order_by(table.created_at.desc(), table.id).limit(MAX_PACKAGES)
    with (workspace or current_workspace()).database.read() as connection:
        catalog.get_version(connection, name, version)
        return [_record(row) for row in connection.execute(query).mappings()]


def get_package(package_id: str, *, workspace: Workspace | None = None) -> PackageRecord:
    """Return a package by its id; NotFoundError if there is none."""
    query = sa.select(version_packages).where(version_packages.c.id == package_id)
    with (workspace or current_workspace()).database.read() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFoundError(f"There is no package {package_id[:80]!r}. It may have been deleted; compile again.")
    return _record(row)


def delete_package(package_id: str, *, workspace: Workspace | None = None) -> None:
    """Delete a package; its files go with the next garbage collection. NotFoundError if there is none."""
    workspace = workspace or current_workspace()
    record = get_package(package_id, workspace=workspace)
    with workspace.database.write() as connection:
        connection.execute(version_packages.delete().where(version_packages.c.id == package_id))
        details = {"target": record.target, "package": record.id}
        workspace.audit.record("model.unpackage", f"{record.model}/{record.version}", details)


def download_package(record: PackageRecord, folder: str | Path, *, workspace: Workspace | None = None) -> Path:
    """Write the files of a package below a folder, each checked against its sha256, and return the folder."""
    artifacts = (workspace or current_workspace()).artifacts
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for file in record.files:
        artifacts.download(file.sha256, join_inside(target, file.path))
    return target


def _record(row: Any) -> PackageRecord:
    content = json.loads(row["content"])
    return PackageRecord(
        **{field: row[field] for field in ("id", "model", "version", "target", "created_at", "created_by")},
        files=[ModelFile(**file) for file in content["files"]],
        manifest=content["manifest"],
        candidates=content["candidates"],
    )
